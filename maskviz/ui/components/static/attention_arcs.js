const drawings = new WeakMap()
const ROW = 22

class Arcs {
  constructor(parent) {
    this.root = parent.querySelector(".root")
    for (const name of ["view", "note", "live"]) this[name] = parent.querySelector(`.${name}`)
    this.svg = parent.querySelector("svg")
    this.active = [0, 0]
    this.held = null
    new ResizeObserver(() => this.data && this.root.clientWidth !== this.width && this.draw()).observe(this.root)
    const at = event => this.groups?.flat().indexOf(event.target.closest?.(".token"))
    const side = i => (i < this.sides[0].length ? [0, i] : [1, i - this.sides[0].length])
    this.svg.onmouseover = event => { const i = at(event); this.isolate(i >= 0 ? side(i) : this.held) }
    this.svg.onmouseleave = () => this.isolate(this.held)
    this.svg.addEventListener("focusin", event => {
      const i = at(event)
      if (i < 0) return
      this.active = this.held = side(i) // what has the focus stays shown when the pointer leaves
      this.isolate(this.held, true)
    })
    this.svg.addEventListener("focusout", () => { this.held = null; this.isolate(null) })
    this.svg.onkeydown = event => { const i = at(event); if (i >= 0) this.key(event, ...side(i)) }
  }

  make(tag, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag)
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
    if (text !== undefined) node.textContent = text
    return node
  }

  update(data) {
    this.data = data
    this.sides = [data.tokens, data.keys ?? data.tokens]
    this.active = [this.active[0], Math.min(this.active[1], this.sides[this.active[0]].length - 1)]
    this.draw()
    this.svg.setAttribute("aria-label", data.label)
    this.root.querySelector(".ends").style.flexDirection = data.mirrored ? "row-reverse" : ""
    this.note.textContent = `${data.edges.length} lines, the darker and thicker the stronger. Point at a token to see its lines alone.`
  }

  draw() {
    const { edges, hidden, hiddenKeys, signed } = this.data
    const width = (this.width = this.root.clientWidth, Math.min(640, this.width || 640))
    const side = clamp(70, width * 0.3, 150)
    const colours = this.data.colours[themeOf(this.root)], off = [new Set(hidden), new Set(hiddenKeys ?? hidden)]
    this.pen ??= element("canvas").getContext("2d")
    this.pen.font = `13px ${getComputedStyle(this.root).fontFamily}`
    const peak = Math.max(...edges.map(([, , w]) => Math.abs(w)), 1e-9)
    this.lines = edges.map(([q, k, w]) => {
      const strength = Math.abs(w) / peak
      const line = this.make("line", { x1: this.data.mirrored ? width - side - 6 : side + 6, x2: this.data.mirrored ? side + 6 : width - side - 6, y1: q * ROW + ROW / 2, y2: k * ROW + ROW / 2,
        stroke: colours[signed && w < 0 ? 0 : 1], "stroke-opacity": 0.12 + 0.88 * strength, "stroke-width": 0.6 + 3.4 * strength })
      return Object.assign(line, { ends: [q, k], weight: w })
    })
    this.groups = this.sides.map((names, at) => names.map((token, i) => this.token(at, i, token, side, width, off[at].has(i))))
    const height = Math.max(...this.sides.map(names => names.length)) * ROW + 2
    this.svg.setAttribute("height", height)
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
    this.svg.style.maxWidth = `${width}px`
    const focused = this.svg.getRootNode().activeElement?.closest?.(".token")
    this.svg.replaceChildren(...this.lines, ...this.groups.flat())
    if (focused) this.groups[this.active[0]][this.active[1]]?.focus()
    this.svg.dataset.painted = String(edges.length)
  }

  token(at, i, token, side, width, off) {
    const group = this.make("g", { class: `token${off ? " off" : ""}`, role: "button",
      tabindex: at === this.active[0] && i === this.active[1] ? 0 : -1,
      "aria-label": `${visible(token)}, ${at ? "attended to" : "attends from"}${off ? ", hidden" : ""}` })
    const letters = [...visible(token)], limit = Math.floor(side / 8)
    const text = letters.length > limit ? `${letters.slice(0, limit - 1).join("")}…` : letters.join("")
    const right = at !== Number(Boolean(this.data.mirrored)) // on which side the column stands
    const x = right ? width - side : side, long = Math.min(side, this.pen.measureText(text).width + 10)
    group.append(
      this.make("rect", { x: right ? x : x - long, y: i * ROW + 2, width: long, height: ROW - 4, rx: 3 }),
      this.make("text", { x: right ? x + 5 : x - 5, y: i * ROW + ROW / 2, dy: "0.35em", "text-anchor": right ? "start" : "end", direction: "ltr" }, text),
      this.make("text", { class: "value", x: right ? width - 2 : 2, y: i * ROW + ROW / 2, dy: "0.35em", "text-anchor": right ? "end" : "start" }),
    )
    return group
  }

  isolate(place, aloud = false) {
    const mine = place ? this.lines.filter(line => line.ends[place[0]] === place[1]) : []
    this.lines?.forEach(line => { line.style.display = !place || line.ends[place[0]] === place[1] ? "" : "none" })
    this.groups?.forEach((group, at) => group.forEach(token => {
      token.classList.remove("lit")
      token.lastChild.textContent = ""
    }))
    if (!place) return
    const [at, i] = place, amount = this.data.signed ? points : share
    this.groups[at][i].classList.add("lit")
    for (const line of mine) {
      const other = this.groups[1 - at][line.ends[1 - at]]
      other.classList.add("lit")
      other.lastChild.textContent = amount(line.weight).replace(" points", "")
    }
    if (aloud) this.live.textContent = this.sentence(at, i, mine, amount)
  }

  sentence(at, i, mine, amount) {
    const best = [...mine].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 3)
    const list = best.map(line => `${visible(this.sides[1 - at][line.ends[1 - at]])} ${amount(line.weight)}`).join(", ")
    return `${visible(this.sides[at][i])} ${at ? "is attended to by" : "attends to"} ${list || "nothing above the threshold"}`
  }

  key(event, at, i) {
    const right = this.data.mirrored ? -1 : 1
    const step = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [right, 0], ArrowLeft: [-right, 0] }[event.key]
    if (!step) return
    event.preventDefault()
    event.stopPropagation()
    this.groups[at][i].setAttribute("tabindex", -1)
    const to = clamp(0, at + step[0], 1)
    this.active = [to, clamp(0, i + step[1], this.sides[to].length - 1)]
    const next = this.groups[this.active[0]][this.active[1]]
    next.setAttribute("tabindex", 0)
    next.focus()
  }
}

export default function ({ data, parentElement }) {
  if (!drawings.has(parentElement)) drawings.set(parentElement, new Arcs(parentElement))
  drawings.get(parentElement).update(data)
}
