// Streamlit calls the export again on every rerun. The strip is reconciled, never rebuilt:
// rebuilding would drop keyboard focus. All user text goes through textContent.
const strips = new WeakMap()
const memory = {} // the undo history, which outlives a visit to another page
const RTL = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]/
const LEAST = 0.01 // below this a guess is noise: it is told on hover and not written into the text
const STRONG = /[\p{L}\p{N}]/u

const element = (name, className, text) => {
  const node = document.createElement(name)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}
const percent = p => (p < 0.001 ? "under 0.1 %" : `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`)

class Strip {
  constructor(parent) {
    for (const name of ["text", "count", "legend", "live", "tip"]) {
      this[name] = parent.querySelector(`.${name}`)
    }
    this.buttons = parent.querySelectorAll("button")
    this.units = []
    this.tailNode = element("span", "gap")
    this.text.append(this.tailNode)
    this.buttons.forEach(button => { button.onclick = () => this.act(button.dataset.act) })
    this.listen()
  }

  listen() {
    const text = this.text
    const index = event => event.target.closest?.(".unit")?.at
    text.onclick = event => {
      const at = index(event)
      if (at === undefined || String(getSelection?.() ?? "").length > 1) return
      event.shiftKey ? this.select(this.anchor, at, true) : this.select(at, at, true)
      this.focus(at)
    }
    text.onmousedown = event => { if (event.shiftKey) event.preventDefault() }
    text.onkeydown = event => this.key(event, index(event))
    text.onmouseover = event => { this.over = index(event); this.tell(this.over) }
    text.onmouseleave = () => { this.over = undefined; this.tell() }
    text.onfocusin = event => this.tell(index(event))
    text.onfocusout = () => this.tell(this.over)
    text.onscroll = () => this.tell()
  }

  update(data, send) {
    this.data = data
    this.send = send
    if (this.revision !== data.revision) this.reset()
    this.text.setAttribute("aria-label", data.label)
    this.text.style.maxHeight = `${data.maxHeight}px`
    this.text.classList.toggle("guessing", Object.keys(data.guesses).length > 0)
    this.text.classList.toggle("tagged", data.categories.length > 0)
    this.locked = new Set(data.locked)
    this.fit()
    this.drawTail()
    this.drawLegend()
    this.paint()
    this.text.dataset.painted = data.revision
  }

  reset() {
    this.revision = this.data.revision
    this.hidden = new Set(this.data.hidden)
    const known = memory.revision === this.revision && memory.last === String(this.data.hidden)
    this.past = known ? memory.past : []
    this.future = known ? memory.future : []
    this.anchor = this.active = 0
    this.picked = null
    this.tell()
  }

  fit() {
    const wanted = this.data.text.length
    while (this.units.length > wanted) {
      const unit = this.units.pop()
      unit.gap.remove()
      unit.bond.remove()
    }
    while (this.units.length < wanted) {
      const unit = element("span", "unit")
      unit.gap = element("span", "gap")
      unit.bond = element("span", "bond")
      unit.marks = element("span")
      unit.bond.append(unit, unit.marks)
      unit.at = this.units.length
      unit.setAttribute("role", "button")
      this.tailNode.before(unit.gap, unit.bond)
      this.units.push(unit)
    }
    this.active = Math.min(this.active, Math.max(0, wanted - 1))
  }

  drawTail() {
    const marks = this.marks(this.units.length - 1)
    this.tailNode.textContent = withMarks(this.data.tail.slice(marks.length))
  }

  // The marks right behind a unit: a line may break after a block, and they stay with it.
  marks(i) {
    return i < 0 ? "" : /^\S{0,3}/u.exec(this.data.before[i + 1] ?? this.data.tail)[0]
  }

  // What stands before a unit, without the marks that stay with the one before it.
  gap(i) {
    return this.data.before[i].slice(this.marks(i - 1).length)
  }

  // Without `only` every unit is looked at; a click touches few of what may be thousands.
  paint(only = this.units.keys()) {
    for (const i of only) if (this.units[i]) this.paintUnit(this.units[i], i)
    const { noun, of } = this.data, total = this.units.length
    const shown = `${this.hidden.size} ${of} ${total.toLocaleString("en")} ${noun} hidden`
    const share = total ? ` (${Math.round((100 * this.hidden.size) / total)} %)` : ""
    this.count.textContent = shown + share
    const [undo, redo, none] = this.buttons
    undo.disabled = !this.past.length
    redo.disabled = !this.future.length
    none.disabled = !this.hidden.size
    const fixed = total > 0 && this.locked.size === total
    for (const button of [undo, redo, none]) button.hidden = fixed
  }

  paintUnit(unit, i) {
    const { data } = this, off = this.hidden.has(i), locked = this.locked.has(i)
    const tag = off && this.category(i)?.[0] !== this.category(i - 1)?.[0] ? this.category(i) : null
    const [word, chance] = data.guesses[i]?.[0] ?? []
    const guess = off && chance >= LEAST ? word : undefined
    const picked = this.picked !== null && this.inRange(i, ...this.picked)
    const marks = this.marks(i), gap = this.gap(i)
    const mark = [data.text[i], gap, marks, off, locked, tag, guess, picked,
      this.category(i)?.[1], i === this.active, data.reason[i], data.learned[i]].join("\u0000")
    if (unit.mark === mark) return
    unit.mark = mark
    unit.gap.textContent = withMarks(gap)
    unit.marks.textContent = withMarks(marks)
    unit.bond.className = `bond${off ? " tied" : ""}`
    unit.className = `unit${off ? " off" : ""}${locked ? " locked" : ""}${picked ? " picked" : ""}`
    unit.classList.toggle("learned", data.learned[i] > 0)
    unit.style.setProperty("--depth", `${1 + 2 * (data.learned[i] ?? 0)}px`)
    unit.tabIndex = i === this.active ? 0 : -1
    unit.setAttribute("aria-pressed", off)
    unit.setAttribute("aria-label", this.describe(i))
    locked ? unit.setAttribute("aria-disabled", "true") : unit.removeAttribute("aria-disabled")
    if (off) this.drawBlock(unit, data.text[i], this.category(i), tag, guess)
    else unit.replaceChildren(element("span", "word", withMarks(data.text[i])))
  }

  drawBlock(unit, text, category, tag, guess) {
    const block = element("span", "block")
    unit.dataset.dir = RTL.test(text) ? "rtl" : STRONG.test(text) ? "ltr" : ""
    unit.style.setProperty("--tone", category ? category[1] : "var(--ink)")
    block.append(element("span", "word", withMarks(text)))
    if (tag) block.append(this.note(block, "tag", tag[0]))
    if (guess !== undefined) block.append(this.note(block, "guess", guess))
    unit.replaceChildren(block)
  }

  // What is noted at a block is written by the style sheet: it is no part of the button's own
  // label, by which a voice calls it, and is told in its description.
  note(block, kind, text) {
    const note = element("span", kind)
    block.dataset[kind] = note.dataset.text = withMarks(text)
    return note
  }

  drawLegend() {
    const counts = new Map()
    for (const i of this.data.hidden) {
      const name = this.data.categories[this.data.category[i]]?.[0]
      if (name) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    this.legend.replaceChildren(...this.data.categories.filter(([name]) => counts.has(name))
      .map(([name, colour]) => {
        const entry = element("span"), dot = element("span", "dot")
        dot.style.setProperty("--tone", colour)
        entry.append(dot, `${withMarks(name)} (${counts.get(name)})`)
        return entry
      }))
  }

  category(i) {
    return this.hidden.has(i) ? this.data.categories[this.data.category[i]] : undefined
  }

  describe(i) {
    const { data } = this
    if (!this.hidden.has(i)) return data.text[i]
    const guesses = (data.guesses[i] ?? []).slice(0, 1).map(([word, p]) => `guess ${word} ${percent(p)}`)
    const parts = [data.text[i], "hidden", this.category(i)?.[0], data.reasons[data.reason[i]], ...guesses]
    return parts.filter(Boolean).join(", ")
  }

  range(ends) {
    if (!ends) return []
    const first = Math.min(...ends), last = Math.max(...ends)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  }

  inRange(i, from, to) {
    return i >= Math.min(from, to) && i <= Math.max(from, to)
  }

  select(from, to, apply) {
    if (!apply) {
      const before = this.range(this.picked)
      this.picked = from === to ? null : [from, to]
      return this.paint([...before, ...this.range(this.picked)])
    }
    const all = this.range([from, to]).filter(i => !this.locked.has(i))
    if (!all.length) return this.say("This one cannot be hidden")
    const show = all.every(i => this.hidden.has(i))
    const next = new Set(this.hidden)
    all.forEach(i => (show ? next.delete(i) : next.add(i)))
    const what = all.length > 1 ? `${all.length} ${this.data.noun}` : this.data.text[all[0]]
    this.commit(next, `${what} ${show ? "shown" : "hidden"}`)
  }

  commit(next, message) {
    this.past.push(this.hidden)
    this.future = []
    this.become(next, message)
  }

  become(next, message) {
    const turned = [...this.hidden].filter(i => !next.has(i)).concat([...next].filter(i => !this.hidden.has(i)))
    const touched = [...turned, ...turned.map(i => i + 1), ...this.range(this.picked)]
    this.hidden = next
    this.picked = null
    this.paint(touched)
    this.tell(this.over)
    this.say(`${message}. ${this.count.textContent}.`)
    const hidden = [...next].sort((a, b) => a - b)
    Object.assign(memory, { revision: this.revision, last: String(hidden), past: this.past, future: this.future })
    this.send("edit", { revision: this.revision, hidden })
  }

  act(name) {
    if (name === "png" || name === "svg") return savePicture(this, name)
    if (name === "none" && this.hidden.size) {
      return this.commit(new Set([...this.hidden].filter(i => this.locked.has(i))), "All shown")
    }
    const [from, to] = name === "undo" ? [this.past, this.future] : [this.future, this.past]
    if (name === "none" || !from.length) return
    to.push(this.hidden)
    this.become(from.pop(), name === "undo" ? "Undone" : "Redone")
  }

  key(event, at) {
    const command = event.ctrlKey || event.metaKey
    if (command && event.key.toLowerCase() === "z") {
      this.stop(event)
      return this.act(event.shiftKey ? "redo" : "undo")
    }
    if (command && event.key.toLowerCase() === "y") { this.stop(event); return this.act("redo") }
    if (at === undefined || command || event.altKey) return
    if (event.key === "Enter" || event.key === " ") {
      this.stop(event)
      const range = this.picked ?? [at, at]
      this.anchor = at
      return this.select(...range, true)
    }
    if (event.key === "Escape") { this.select(at, at, false); return this.tell() }
    const to = this.target(event.key, at)
    if (to === undefined) return
    this.stop(event)
    const from = event.shiftKey ? (this.picked ? this.picked[0] : at) : to
    this.focus(to, !event.shiftKey)
    this.select(from, to, false)
  }

  target(key, at) {
    const last = this.units.length - 1
    const forward = getComputedStyle(this.units[at]).direction === "rtl" || this.isRtl(at) ? -1 : 1
    if (key === "ArrowRight") return Math.max(0, Math.min(last, at + forward))
    if (key === "ArrowLeft") return Math.max(0, Math.min(last, at - forward))
    if (key === "Home") return 0
    if (key === "End") return last
    if (key === "ArrowDown") return this.lineAway(at, 1)
    if (key === "ArrowUp") return this.lineAway(at, -1)
  }

  isRtl(at) {
    return RTL.test(this.data.text[at])
  }

  lineAway(at, step) {
    const box = i => this.units[i].getBoundingClientRect()
    const here = box(at), middle = here.left + here.width / 2
    let best = at, distance = Infinity, line
    for (let i = at + step; i >= 0 && i < this.units.length; i += step) {
      const there = box(i)
      if (Math.abs(there.bottom - here.bottom) < 14) continue
      line ??= there.bottom
      if (Math.abs(there.bottom - line) > 14) break
      const away = Math.abs(there.left + there.width / 2 - middle)
      if (away < distance) { best = i; distance = away }
    }
    return best
  }

  focus(i, anchor = true) {
    if (anchor) this.anchor = i
    const before = this.active
    this.active = i
    this.paint([before, i])
    this.units[i].focus()
  }

  say(message) {
    this.live.textContent = message
  }

  stop(event) {
    event.preventDefault()
    event.stopPropagation()
  }

  tell(i) {
    const { tip, data } = this
    const told = i !== undefined && (this.hidden?.has(i) || this.locked?.has(i))
    if (!told) return tip.matches(":popover-open") && tip.hidePopover()
    const category = this.category(i), reason = data.reasons[data.reason[i]]
    const head = element("p")
    head.append(element("b", "", withMarks(data.text[i])), this.hidden.has(i) ? " is hidden" : " cannot be hidden")
    const rows = [head]
    if (category) {
      const row = element("p"), dot = element("span", "dot")
      dot.style.setProperty("--tone", category[1])
      row.append(dot, withMarks(category[0]))
      rows.push(row)
    }
    if (reason) rows.push(element("p", "quiet", withMarks(reason)))
    if (data.guesses[i] && this.hidden.has(i)) rows.push(this.odds(data.guesses[i]))
    tip.replaceChildren(...rows)
    if (!tip.matches(":popover-open")) tip.showPopover()
    this.place(this.units[i].querySelector(".word"))
  }

  odds(guesses) {
    const grid = element("div", "odds")
    for (const [word, p] of guesses.slice(0, 5)) {
      const bar = element("i")
      bar.style.width = `${Math.max(2, 100 * p)}%`
      grid.append(element("span", "", withMarks(word)), bar, element("em", "", percent(p)))
    }
    return grid
  }

  place(anchor) {
    const box = anchor.getBoundingClientRect(), { tip } = this
    const width = tip.offsetWidth, height = tip.offsetHeight
    const left = Math.max(8, Math.min(innerWidth - width - 8, box.left + box.width / 2 - width / 2))
    const below = box.bottom + 26
    const top = below + height < innerHeight - 8 ? below : Math.max(8, box.top - height - 18)
    tip.style.left = `${left}px`
    tip.style.top = `${top}px`
  }
}
