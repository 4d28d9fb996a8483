// A text lit by numbers, and, of an answer, what each of its tokens rests on. All user text goes
// through textContent. Streamlit calls the export again on every rerun: a new text is drawn anew.
const drawings = new WeakMap()
const LEAST = 0.04 // of the strongest: below it nothing is lit

class Lit {
  constructor(parent) {
    const [text, answer] = parent.querySelectorAll(".text")
    this.sides = [text, answer]
    this.heads = parent.querySelectorAll(".head")
    this.said = parent.querySelector(".said")
    this.tip = parent.querySelector(".tip")
  }

  update(data) {
    const mark = JSON.stringify(data)
    if (mark === this.mark) return
    this.mark = mark
    this.data = data
    this.chosen = null
    this.active = [0, 0]
    this.pieces = [this.draw(0, data.text, data.before, data.tail), this.draw(1, data.answer, [], "")]
    this.heads[0].textContent = data.answer.length || data.head ? data.head : ""
    this.heads[1].textContent = data.answer.length ? data.answerHead : ""
    this.paint()
  }

  draw(side, texts, before, tail) {
    const box = this.sides[side], pieces = []
    box.replaceChildren()
    texts.forEach((text, i) => {
      const piece = element("span", "piece", withMarks(text))
      if (side === 0 && this.data.quiet.includes(i)) piece.classList.add("quiet")
      if (side === 0 && this.data.hidden.includes(i)) piece.classList.add("off")
      if (this.data.matrix) this.listen(piece, side, i)
      piece.onmouseenter = () => this.tell(side, i)
      piece.onmouseleave = () => hideTip(this.tip)
      box.append(withMarks(before[i] ?? ""), piece)
      pieces.push(piece)
    })
    if (texts.length) box.append(withMarks(tail))
    box.setAttribute("aria-label", side ? this.data.answerHead : this.data.label)
    box.onscroll = () => hideTip(this.tip)
    return pieces
  }

  listen(piece, side, i) {
    piece.setAttribute("role", "button")
    piece.tabIndex = side === 1 && i === 0 ? 0 : -1
    piece.onclick = () => this.choose(side, i)
    piece.onfocus = () => this.tell(side, i)
    piece.onblur = () => hideTip(this.tip)
    piece.onkeydown = event => this.key(event, side, i)
  }

  key(event, side, i) {
    if (event.key === "Enter" || event.key === " ") { this.stop(event); return this.choose(side, i) }
    if (event.key === "Escape") { this.stop(event); this.chosen = null; return this.paint() }
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key]
    if (!step) return
    this.stop(event)
    const to = clamp(0, side + step[0], 1)
    const at = clamp(0, to === side ? i + step[1] : 0, this.pieces[to].length - 1)
    this.pieces[side][i].tabIndex = -1
    this.pieces[to][at].tabIndex = 0
    this.pieces[to][at].focus()
  }

  stop(event) {
    event.preventDefault()
    event.stopPropagation()
  }

  choose(side, i) {
    const same = this.chosen && this.chosen[0] === side && this.chosen[1] === i
    this.chosen = same ? null : [side, i]
    this.paint()
  }

  // The values of both sides as they are lit now, null where nothing is said of a side.
  values() {
    const { data, chosen } = this
    if (!chosen) return [data.values, data.answer.map(() => null)]
    const [side, i] = chosen
    return side
      ? [data.matrix.map(row => row[i]), data.answer.map(() => null)]
      : [data.text.map(() => null), data.matrix[i]]
  }

  most() {
    const all = this.chosen ? this.data.matrix.flat() : this.data.values
    return Math.max(1e-9, ...all.map(value => Math.abs(value ?? 0)))
  }

  paint() {
    const values = this.values(), most = this.most()
    this.shown = values
    this.pieces.forEach((pieces, side) => pieces.forEach((piece, i) => {
      const value = values[side][i], much = Math.abs(value ?? 0) / most
      piece.classList.toggle("lit", much >= LEAST && !piece.classList.contains("off"))
      piece.classList.toggle("less", (value ?? 0) < 0)
      piece.style.setProperty("--much", much.toFixed(3))
      piece.style.setProperty("--tone", (value ?? 0) < 0 ? this.data.less : this.data.more)
      const chosen = Boolean(this.chosen) && this.chosen[0] === side && this.chosen[1] === i
      piece.classList.toggle("chosen", chosen)
      if (this.data.matrix) piece.setAttribute("aria-pressed", chosen)
    }))
    this.said.textContent = this.sentence(values)
  }

  sentence(values) {
    const { data, chosen } = this
    if (!data.matrix) return data.note
    if (!chosen) return `${data.note} ${data.ask}`
    const [side, i] = chosen, other = 1 - side
    const names = other ? data.answer : data.text
    const best = values[other].map((value, k) => [value, k]).filter(([v]) => Math.abs(v) / this.most() >= LEAST)
      .sort((a, b) => Math.abs(b[0]) - Math.abs(a[0])).slice(0, 4)
    const list = best.map(([value, k]) => `${quoted(names[k])} ${this.amount(value)}`).join(", ")
    const what = quoted(side ? data.answer[i] : data.text[i])
    if (!list) return side ? `${what} rests on no single word.` : `Without ${what} no token changes.`
    return side ? `${what} rests on ${list} ${data.unit}.` : `${what} carries ${list} ${data.unit}.`
  }

  amount(value) {
    const sign = this.data.signed ? (value > 0 ? "+" : value < 0 ? "−" : "") : ""
    return sign + Math.abs(value).toFixed(Math.abs(value) < 0.0995 ? 3 : 2)
  }

  tell(side, i) {
    const value = this.shown[side][i], name = visible(side ? this.data.answer[i] : this.data.text[i])
    const odds = side ? this.data.odds[i] : undefined
    const hidden = side === 0 && this.data.hidden.includes(i)
    if ((value === null || value === undefined) && odds === undefined && !hidden) return hideTip(this.tip)
    const rows = [element("p", "", name)]
    if (hidden) rows.push(element("p", "quiet", "is hidden"))
    if (value !== null && value !== undefined) rows.push(element("p", "", `${this.amount(value)} ${this.data.unit}`))
    if (odds !== undefined) rows.push(element("p", "quiet", `ln p ${odds.toFixed(2)}`.replace("-", "−")))
    showTip(this.tip, rows, this.pieces[side][i].getBoundingClientRect())
  }
}

const quoted = text => `“${visible(text.trim() || text)}”`

export default function ({ data, parentElement }) {
  if (!drawings.has(parentElement)) drawings.set(parentElement, new Lit(parentElement))
  drawings.get(parentElement).update(data)
  return () => hideTip(parentElement.querySelector(".tip"))
}
