// A conversation: the strip's words, each in the card of its turn; turns are written in a form of
// their own. What is typed goes to the page whenever the keys rest, so that a reload keeps it.
const REST = 500 // milliseconds without a key
const MANY = 8000 // words, about 150 turns: more are not laid out before they are seen

class Cards extends Strip {
  constructor(parent) {
    super(parent)
    this.cards = []
    this.acts = [] // what the page has not taken yet, numbered
    this.number = 0
    this.tailNode.hidden = true
  }

  update(data, send, tell) {
    this.trigger = tell
    this.firsts = new Set(data.turns.map(turn => turn.first))
    this.tails = new Map(data.turns.filter(turn => turn.count).map(turn => [turn.first + turn.count - 1, turn.tail]))
    this.acts = this.acts.filter(act => act.number > data.taken)
    this.number = Math.max(this.number, data.taken)
    super.update(data, send)
    if (this.wanted !== undefined && !this.acts.length) {
      this.open(this.wanted)
      this.wanted = undefined
    } else if (this.opened !== undefined && !this.acts.length && this.resting === undefined) {
      if (data.turns[this.opened].content !== this.known) this.close() // another conversation came
    }
  }

  act(name) {
    if (name !== "add") return super.act(name)
    this.close()
    this.wanted = this.data.turns.length
    this.change({ act: "add", at: this.wanted })
  }

  // Sent until the page has taken it: of two messages on the way the page may see the last alone.
  change(what) {
    this.acts.push({ ...what, number: ++this.number })
    clearTimeout(this.sending)
    this.sending = setTimeout(() => this.trigger("turns", { acts: this.acts }), 0)
  }

  // laying out ---------------------------------------------------------------------------------

  fit() {
    super.fit()
    const { turns } = this.data
    while (this.cards.length > turns.length) this.cards.pop().node.remove()
    while (this.cards.length < turns.length) this.cards.push(this.card(this.cards.length))
    turns.forEach((turn, at) => this.lay(this.cards[at], turn))
    this.tailNode.parentNode.classList.toggle("many", this.units.length > MANY)
    if (this.opened !== undefined && this.opened >= turns.length) this.opened = undefined
  }

  card(at) {
    const node = element("article", "card"), margin = element("div", "margin")
    const role = element("b"), edit = element("button", "", "Edit")
    const body = element("div", "body"), calls = element("div", "calls"), tail = element("span", "gap")
    edit.type = "button"
    edit.onclick = () => this.open(at)
    body.dataset.empty = "nothing yet"
    margin.append(role, edit)
    const right = element("div")
    right.append(body, calls)
    node.append(margin, right)
    this.tailNode.before(node)
    return { node, role, edit, body, calls, tail, mark: "" }
  }

  lay(card, turn) {
    const last = turn.first + turn.count
    card.node.dataset.role = turn.role
    card.role.textContent = withMarks(turn.title)
    card.node.setAttribute("aria-label", turn.label)
    card.edit.setAttribute("aria-label", `Edit ${turn.label}`)
    card.calls.textContent = withMarks(turn.calls)
    card.tail.textContent = withMarks(turn.tail.slice(this.marks(turn.count ? last - 1 : -1).length))
    const mark = JSON.stringify([turn.first, turn.count, turn.kinds, Boolean(card.tail.textContent)])
    if (card.mark === mark) return
    card.mark = mark
    const kinds = new Map(turn.kinds), nodes = []
    for (let i = turn.first; i < last; i++) {
      if (kinds.has(i)) nodes.push(element("span", "kind", kinds.get(i)))
      nodes.push(this.units[i].gap, this.units[i].bond)
    }
    card.body.replaceChildren(...nodes, ...(card.tail.textContent ? [card.tail] : []))
  }

  drawTail() {}

  marks(i) {
    if (i < 0) return ""
    return /^\S{0,3}/u.exec(this.tails.get(i) ?? this.data.before[i + 1] ?? "")[0]
  }

  gap(i) {
    return this.firsts.has(i) ? this.data.before[i] : super.gap(i)
  }

  // writing ------------------------------------------------------------------------------------

  open(at) {
    this.close()
    const card = this.cards[at], turn = this.data.turns[at]
    if (!card) return
    this.opened = at
    this.known = turn.content
    card.node.classList.add("open")
    card.form = this.form(at, turn)
    card.node.append(card.form)
    card.form.querySelector("textarea").focus()
  }

  form(at, turn) {
    const form = element("form"), roles = element("select"), row = element("div", "row")
    for (const role of this.data.roles) roles.append(new Option(role, role, false, role === turn.role))
    const fields = { role: roles, content: this.area(turn.content, "What is said") }
    if (turn.thought) fields.thought = this.area(turn.thought, "What is thought before")
    const write = () => {
      clearTimeout(this.resting)
      this.resting = undefined
      const said = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]))
      this.known = said.content
      this.change({ act: "write", at, ...said })
    }
    this.write = write
    form.oninput = () => { clearTimeout(this.resting); this.resting = setTimeout(write, REST) }
    form.onsubmit = event => { event.preventDefault(); this.done(at) }
    form.onkeydown = event => {
      event.stopPropagation() // the page has keys of its own, and so has the strip
      if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) this.done(at)
    }
    const done = element("button", "", "Done")
    done.type = "submit"
    row.append(done, this.button("Turn above", () => this.insert(at)),
      this.button("Turn below", () => this.insert(at + 1)), this.button("Delete", () => this.remove(at)))
    for (const [name, field] of Object.entries(fields)) {
      const label = element("label")
      label.append({ role: "Role", content: `Turn ${at + 1}`, thought: "Thought" }[name], field)
      form.append(label)
    }
    form.append(row)
    return form
  }

  area(text, name) {
    const area = element("textarea")
    area.value = text
    area.setAttribute("aria-label", name)
    return area
  }

  button(name, press) {
    const button = element("button", "", name)
    button.type = "button"
    button.onclick = press
    return button
  }

  done(at) {
    this.close()
    this.cards[at].edit.focus()
  }

  insert(at) {
    this.close()
    this.wanted = at
    this.change({ act: "add", at })
  }

  remove(at) {
    clearTimeout(this.resting)
    this.resting = undefined
    this.close()
    this.change({ act: "delete", at })
    this.say(`Turn ${at + 1} is deleted`)
  }

  close() {
    if (this.resting !== undefined) this.write()
    const card = this.cards[this.opened]
    this.opened = undefined
    if (!card?.form) return
    card.form.remove()
    card.form = undefined
    card.node.classList.remove("open")
  }

  key(event, at) {
    if (!event.target.closest?.("form")) super.key(event, at)
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  if (!strips.has(parentElement)) strips.set(parentElement, new Cards(parentElement))
  const cards = strips.get(parentElement)
  cards.update(data, setStateValue, setTriggerValue)
  return () => cards.tell()
}
