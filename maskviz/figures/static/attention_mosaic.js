const mosaics = new WeakMap()

class Mosaic {
  constructor(parent) {
    this.root = parent.querySelector(".root")
    this.stage = parent.querySelector(".stage")
    this.canvas = parent.querySelector("canvas")
    this.grid = parent.querySelector(".grid")
    this.legend = parent.querySelector(".legend")
    this.tip = parent.querySelector(".tip")
    this.buttons = []
    this.observer = new ResizeObserver(() => this.layout())
    this.observer.observe(this.root)
    this.listen()
  }

  listen() {
    const { grid } = this
    const at = event => this.buttons.indexOf(event.target.closest?.(".head"))
    grid.onclick = event => at(event) >= 0 && this.pick(at(event), event.shiftKey)
    grid.onmouseover = event => this.tell(at(event))
    grid.onmouseleave = () => this.tell(-1)
    grid.onfocusin = event => this.tell(at(event))
    grid.onfocusout = () => this.tell(-1)
    grid.onkeydown = event => this.key(event, at(event))
  }

  update(message, send) {
    Object.assign(this, message)
    this.send = send
    this.theme = themeOf(this.root)
    this.grid.setAttribute("aria-label", this.head.label)
    const { head } = this
    const chosen = head.selected ? head.selected[0] * head.heads + head.selected[1] : -1
    this.chosen = chosen
    this.fit()
    this.layout(true)
    this.explain()
  }

  // One layer alone is wrapped into rows, since a row of twelve would be too small to read.
  fit() {
    const { layers, heads, merged } = this.head, shape = `${layers}x${heads}x${merged}`
    if (this.shape === shape) return this.describe()
    this.shape = shape
    this.single = layers === 1 || (merged && heads === 1)
    this.buttons = Array.from({ length: layers * heads }, () => {
      const button = element("button", "head")
      button.type = "button"
      button.append(element("span", "pane"), element("span", "role"))
      return button
    })
    this.active = Math.max(0, this.chosen)
    this.columns = 0
    this.describe()
  }

  arrange(columns) {
    if (this.columns === columns && this.arranged === this.shape) return
    this.columns = columns
    this.arranged = this.shape
    const { heads, titles } = this.head
    const cells = this.single ? [] : [element("span", "axis"), ...Array.from({ length: heads }, (_, h) => element("span", "axis", `H${h + 1}`))]
    this.buttons.forEach((button, i) => {
      if (!this.single && i % heads === 0) cells.push(element("span", "axis row", titles[i / heads]))
      cells.push(button)
    })
    this.grid.replaceChildren(...cells)
    this.grid.style.gridTemplateColumns = `${this.single ? "" : "max-content "}repeat(${columns}, minmax(0, 1fr))`
  }

  describe() {
    this.buttons.forEach((button, i) => {
      button.setAttribute("aria-label", this.nameOf(i))
      button.setAttribute("aria-pressed", i === this.chosen)
      button.tabIndex = i === this.active ? 0 : -1
    })
  }

  nameOf(i) {
    const role = this.roleOf(i)
    const place = this.placeOf(i)
    const seen = this.buttons[i].lastChild.textContent // a voice calls what stands under the map
    return role ? `${place}: ${seen ? `${seen}, ` : ""}${role[3]}` : place
  }

  // Methods that merge the heads have one map for each layer.
  placeOf(i) {
    const { heads } = this.head, layer = `Layer ${this.layerName(i)}`
    return this.head.merged ? layer : `${layer}, head ${(i % heads) + 1}`
  }

  layerName(i) {
    return this.head.titles[Math.floor(i / this.head.heads)].replace(/^L/, "")
  }

  roleOf(i) {
    return this.head.roles[Math.floor(i / this.head.heads)]?.[i % this.head.heads]
  }

  layout(fresh = false) {
    const width = this.root.clientWidth
    if (!this.head || !width || (!fresh && width === this.width)) return
    this.width = width
    const { heads, rows, cols } = this.head, axis = this.single ? 0 : 34
    const columns = this.single ? clamp(1, Math.floor(width / 130), this.buttons.length) : heads
    const cell = Math.min(150, (width - axis) / columns)
    this.arrange(columns)
    this.stage.style.width = `${Math.min(width, axis + columns * cell)}px`
    const size = cell >= 92 ? "large" : cell >= 46 ? "medium" : "small"
    this.grid.dataset.size = size
    this.buttons.forEach((button, i) => {
      button.firstChild.style.aspectRatio = `${cols} / ${clamp(cols / 2, rows, cols * 2)}`
      button.lastChild.textContent = `${this.head.merged ? `${this.head.titles[i]} ` : ""}${this.single && !this.head.merged ? `H${i + 1} ` : ""}${this.caption(this.roleOf(i), size)}`
      button.setAttribute("aria-label", this.nameOf(i))
    })
    this.paint()
  }

  caption(role, size) {
    if (!role) return ""
    if (role[0] === "mixed") return role[1]
    if (size === "large") return `${role[1]} ${share(role[2])}`
    return role[0] === "moved" ? share(role[2]) : role[1]
  }

  paint() {
    const { canvas, head, cells, grid, buttons } = this
    const ratio = Math.min(2, devicePixelRatio || 1), size = head.rows * head.cols
    const colours = pixelsOf(this.ramps[this.theme])
    const width = Math.round(grid.offsetWidth * ratio), height = Math.round(grid.offsetHeight * ratio)
    canvas.width = width
    canvas.height = height
    canvas.style.width = `${grid.offsetWidth}px`
    canvas.style.height = `${grid.offsetHeight}px`
    if (!width || !height) return
    const context = canvas.getContext("2d"), image = context.createImageData(width, height)
    const target = new Uint32Array(image.data.buffer)
    // All places are read before anything is written: reading in between would lay out each time.
    const places = buttons.map(button => {
      const pane = button.firstChild
      return [pane.offsetLeft, pane.offsetTop, pane.offsetWidth, pane.offsetHeight]
    })
    places.forEach(([left, top, w, h], i) => {
      const map = cells.subarray(i * size, (i + 1) * size)
      const x = Math.round(left * ratio), y = Math.round(top * ratio)
      const box = [x, y, Math.min(Math.round(w * ratio), width - x), Math.min(Math.round(h * ratio), height - y)]
      paintMap(target, width, box, map, colours, head.signed ? 127 : 0, head.cols, [0, head.rows, 0, head.cols])
    })
    context.putImageData(image, 0, 0)
    canvas.dataset.painted = String(buttons.length)
    canvas.dataset.milliseconds = (performance.now() - this.started).toFixed(1)
  }

  explain() {
    const { head } = this, one = head.scale === "model"
    const peak = Math.max(...head.peaks.flat())
    const unit = head.unit ? head.unit : head.signed
      ? "Masked − plain, in percentage points of the query's attention."
      : "Share of a query's attention, in percent."
    const note = one ? `All ${head.merged ? "layers" : "heads"} on one scale.` : "Each map on its own scale, up to its largest weight (shown on hover)."
    drawLegend(this.legend, this.ramps[this.theme], head.signed, one ? peak : null, unit, note)
  }

  key(event, at) {
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key]
    const to = event.key === "Home" ? 0 : event.key === "End" ? this.buttons.length - 1 : at + step
    if (!(to >= 0 && to < this.buttons.length)) return
    event.preventDefault()
    event.stopPropagation()
    this.active = to
    this.describe()
    this.buttons[to].focus()
  }

  pick(i, silent) {
    this.chosen = this.active = i
    this.describe()
    const { heads } = this.head
    this.send("picked", { layer: Math.floor(i / heads), head: i % heads, silent })
  }

  tell(i) {
    if (i < 0) return hideTip(this.tip)
    const { heads, peaks, signed } = this.head, role = this.roleOf(i)
    const peak = peaks[Math.floor(i / heads)][i % heads]
    const rows = [element("b", "", this.placeOf(i))]
    if (role) rows.push(element("p", "", role[3]))
    rows.push(element("p", "quiet", `largest ${signed ? "change" : "weight"} ${amountOf(peak, signed, this.head.unit).replace("+", "")}`))
    showTip(this.tip, rows, this.buttons[i].firstChild.getBoundingClientRect())
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!mosaics.has(parentElement)) mosaics.set(parentElement, new Mosaic(parentElement))
  const mosaic = mosaics.get(parentElement)
  mosaic.started = performance.now()
  mosaic.update(unpack(data), setTriggerValue)
  return () => hideTip(mosaic.tip)
}
