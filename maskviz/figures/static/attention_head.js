const matrices = new WeakMap()
const ZOOMED = 17, LABEL = 9.5 // pixels of a cell when zoomed in, and the least for a label

class Matrix {
  constructor(parent) {
    this.root = parent.querySelector(".root")
    for (const name of ["tools", "view", "sheet", "cross", "legend", "live", "tip"]) {
      this[name] = parent.querySelector(`.${name}`)
    }
    this.canvas = parent.querySelector("canvas")
    this.button = this.tools.querySelector("button")
    this.button.onclick = () => { this.zoomed = !this.zoomed; this.layout(true) }
    this.zoomed = false
    this.at = null
    new ResizeObserver(() => this.layout()).observe(this.root)
    this.listen()
  }

  listen() {
    const { view, canvas } = this
    canvas.onmousemove = event => this.point(event)
    canvas.onclick = event => this.point(event)
    canvas.onmouseleave = () => this.clear()
    view.onscroll = () => { this.clear(); this.paint() }
    view.onblur = () => this.clear()
    view.onkeydown = event => this.key(event)
  }

  update(message) {
    Object.assign(this, message)
    const { head } = this
    const Words = head.signed ? Int16Array : Uint16Array
    this.words = new Words(this.cells.slice().buffer) // a copy, since the cells may lie at an odd place
    const root = head.signed
      ? v => Math.round(Math.sign(v) * Math.sqrt(Math.abs(v) / 32767) * 127 + 127)
      : v => Math.round(Math.sqrt(v / 65535) * 255)
    this.bytes = Uint8Array.from(this.words, root)
    this.hidden = new Set(head.hidden)
    this.special = new Set(head.special)
    this.hiddenKeys = new Set(head.hiddenKeys ?? head.hidden)
    this.specialKeys = new Set(head.specialKeys ?? head.special)
    this.absent = new Set(head.absent)
    this.theme = themeOf(this.root)
    this.view.setAttribute("aria-label", `${head.label}. Arrow keys read the values.`)
    this.clear()
    this.layout(true)
    const unit = head.unit ? head.unit : head.signed
      ? "Masked − plain, in percentage points of the query's attention."
      : "Share of the query's attention, in percent."
    drawLegend(this.legend, this.ramps[this.theme], head.signed, head.scale, unit)
  }

  font(size = 12) {
    return `${size}px ${getComputedStyle(this.root).fontFamily || "sans-serif"}`
  }

  measure() {
    const context = this.canvas.getContext("2d")
    context.font = this.font()
    const widest = names => Math.max(10, ...names.slice(0, 600).map(t => context.measureText(visible(t)).width))
    const room = this.root.clientWidth
    const limit = clamp(44, room * 0.22, 110)
    this.left = Math.ceil(Math.min(limit, widest(this.head.tokens)) + 14 + 18)
    this.top = Math.ceil(Math.min(104, widest(this.head.keys)) + 14 + 18)
  }

  layout(fresh = false) {
    const width = this.root.clientWidth
    if (!this.head || !width || (!fresh && width === this.width)) return
    this.width = width
    const { rows, cols } = this.head, n = Math.max(rows, cols)
    this.measure()
    const most = n <= 8 ? 56 : 34, fit = (width - this.left - 2) / cols
    this.cell = this.zoomed ? ZOOMED : Math.min(most, fit)
    const crowded = fit < LABEL
    if (!crowded && this.zoomed) { this.zoomed = false; return this.layout(true) }
    this.tools.hidden = !crowded
    this.button.textContent = this.zoomed ? "Show all" : "Zoom in"
    this.button.setAttribute("aria-pressed", this.zoomed)
    this.tools.querySelector("span").textContent = this.zoomed
      ? "Scroll in both directions."
      : `${rows} × ${cols} cells: one row in ${Math.ceil(LABEL / this.cell)} is named, hidden ones are marked on the axes.`
    this.sheet.style.width = `${this.left + cols * this.cell}px`
    this.sheet.style.height = `${this.top + rows * this.cell}px`
    this.paint()
  }

  // Only what is in view is painted, so that a zoomed 512 × 512 map needs no huge canvas.
  frame() {
    const { view, left, top, cell } = this, { rows, cols } = this.head
    const width = Math.min(view.clientWidth, left + cols * cell), height = Math.min(view.clientHeight, top + rows * cell)
    const x = view.scrollLeft, y = view.scrollTop
    return { width, height, x, y, c0: x / cell, c1: Math.min(cols, (x + width - left) / cell), r0: y / cell, r1: Math.min(rows, (y + height - top) / cell) }
  }

  paint() {
    const { canvas, left, top, cell, head } = this
    for (const node of [canvas, this.cross]) { node.style.width = node.style.height = "0" }
    const frame = this.frame(), ratio = Math.min(2, devicePixelRatio || 1)
    const pixel = v => Math.round(v * ratio)
    canvas.width = pixel(frame.width)
    canvas.height = pixel(frame.height)
    for (const node of [canvas, this.cross]) {
      node.style.width = `${frame.width}px`
      node.style.height = `${frame.height}px`
    }
    const context = canvas.getContext("2d")
    const box = [0, 0, canvas.width - pixel(left), canvas.height - pixel(top)]
    if (box[2] < 1 || box[3] < 1) return
    const image = context.createImageData(box[2], box[3])
    paintMap(new Uint32Array(image.data.buffer), box[2], box, this.bytes, pixelsOf(this.ramps[this.theme]),
      head.signed ? 127 : 0, head.cols, [frame.r0, frame.r1, frame.c0, frame.c1])
    context.putImageData(image, pixel(left), pixel(top))
    context.scale(ratio, ratio)
    this.drawGrid(context, frame)
    this.drawLabels(context, frame)
    canvas.dataset.painted = String(head.rows * head.cols)
    canvas.dataset.milliseconds = (performance.now() - this.started).toFixed(1)
  }

  drawGrid(context, frame) {
    const { left, top, cell } = this, style = getComputedStyle(this.root)
    context.strokeStyle = style.getPropertyValue("--st-background-color")
    context.lineWidth = 1
    context.beginPath()
    if (cell >= 9) {
      for (let c = Math.ceil(frame.c0); c < frame.c1; c++) this.line(context, left + c * cell - frame.x, top, 0, frame.height)
      for (let r = Math.ceil(frame.r0); r < frame.r1; r++) this.line(context, left, top + r * cell - frame.y, frame.width, 0)
    }
    context.stroke()
    this.drawBlocks(context, frame, style)
    context.strokeStyle = style.getPropertyValue("--st-border-color")
    context.strokeRect(left - 0.5, top - 0.5, frame.width - left, frame.height - top)
  }

  // The parts of a pair are set apart by lines through the map.
  drawBlocks(context, frame, style) {
    const { left, top, cell, head } = this
    context.strokeStyle = style.color
    context.lineWidth = 1.5
    context.beginPath()
    for (const [start] of (head.keyBlocks ?? []).slice(1)) {
      const x = left + start * cell - frame.x
      if (x > left) this.line(context, x, top, 0, frame.height)
    }
    for (const [start] of (head.blocks ?? []).slice(1)) {
      const y = top + start * cell - frame.y
      if (y > top) this.line(context, left, y, frame.width, 0)
    }
    context.stroke()
    context.lineWidth = 1
  }

  line(context, x, y, toX, toY) {
    context.moveTo(x, y)
    context.lineTo(toX || x, toY || y)
  }

  drawLabels(context, frame) {
    const { left, top, cell, head } = this, step = Math.max(1, Math.ceil(LABEL / cell))
    const style = getComputedStyle(this.root)
    this.inks = { text: style.color, back: style.getPropertyValue("--st-background-color"),
      ink: this.mixed("--ink"), muted: this.mixed("--muted") }
    context.font = this.font(clamp(9, step > 1 ? 11 : cell - 1, 12))
    context.textBaseline = "middle"
    if (step > 1) this.drawMarks(context, frame, step)
    context.save()
    context.rect(0, top - 8, left, frame.height)
    context.clip()
    for (let r = Math.ceil(frame.r0 / step) * step; r < frame.r1; r += step) {
      const marks = [this.hidden.has(r), this.special.has(r)]
      this.drawLabel(context, head.tokens[r], marks, left - 7, top + (r + 0.5) * cell - frame.y, left - 32, 0)
    }
    context.restore()
    context.save()
    context.rect(left - 8, 0, frame.width, top)
    context.clip()
    for (let c = Math.ceil(frame.c0 / step) * step; c < frame.c1; c += step) {
      const marks = [this.hiddenKeys.has(c), this.specialKeys.has(c)]
      this.drawLabel(context, head.keys[c], marks, left + (c + 0.5) * cell - frame.x, top - 7, top - 32, -Math.PI / 2)
    }
    context.restore()
    this.drawTitles(context, frame)
  }

  // Where not every label fits, a bar of ink still marks each hidden token.
  drawMarks(context, frame, step) {
    const { left, top, cell, head } = this, long = Math.max(1.5, cell)
    context.fillStyle = this.inks.ink
    for (const i of this.hiddenKeys) {
      const x = left + i * cell - frame.x
      if (i % step && x >= left && x < frame.width && i < head.cols) context.fillRect(x, top - 5, long, 4)
    }
    for (const i of this.hidden) {
      const y = top + i * cell - frame.y
      if (i % step && y >= top && y < frame.height) context.fillRect(left - 5, y, 4, long)
    }
  }

  // color-mix() is no canvas colour: a probe element lets the browser work it out.
  mixed(name) {
    this.root.style.setProperty("outline-color", `var(${name})`)
    const colour = getComputedStyle(this.root).outlineColor
    this.root.style.removeProperty("outline-color")
    return colour
  }

  drawLabel(context, token, [hidden, special], x, y, room, angle) {
    const text = this.cut(context, visible(token), room)
    context.save()
    context.translate(x, y)
    context.rotate(angle)
    context.textAlign = angle ? "left" : "right"
    if (hidden) {
      const width = context.measureText(text).width + 8, thick = clamp(9, this.cell - 1, 15)
      context.fillStyle = this.inks.ink
      context.beginPath()
      context.roundRect(angle ? -4 : 4 - width, -thick / 2, width, thick, 3)
      context.fill()
    }
    context.fillStyle = hidden ? this.inks.back : special ? this.inks.muted : this.inks.text
    context.fillText(text, 0, 0.5)
    context.restore()
  }

  cut(context, text, room) {
    if (context.measureText(text).width <= room) return text
    const letters = [...text]
    while (letters.length > 1 && context.measureText(`${letters.join("")}…`).width > room) letters.pop()
    return `${letters.join("")}…`
  }

  // The title stands over the first part that has room for it, and each part has its name: in a
  // pair a letter, in a conversation the turn; where there is no room for it, its number.
  drawTitles(context, frame) {
    const { left, top, cell, head } = this
    context.font = this.font(11.5)
    context.fillStyle = this.inks.muted
    context.textAlign = "left"
    context.textBaseline = "top"
    const wide = text => context.measureText(text).width
    const named = (blocks, title, from, to, scrolled) => {
      if (!(blocks?.length > 1)) return [[from, title]]
      let titled = false
      return blocks.flatMap(([start, end, name]) => {
        const first = Math.max(from, from + start * cell - scrolled), room = Math.min(to, from + end * cell - scrolled) - first
        if (room < 4) return []
        const both = name ? `${name} · ${title}` : title
        if (!titled && wide(both) + 16 < room) { titled = true; return [[first, both]] }
        const said = [name, name.split(" ")[0]].find(text => [...text].length === 1 || wide(text) + 4 < room)
        return said ? [[first, said]] : []
      })
    }
    const key = frame.width - left > 110 ? "attended to (key)" : "key"
    const across = this.head.mirrored ? `← ${key}` : `${key} →`
    for (const [x, title] of named(head.keyBlocks, across, left, frame.width, frame.x)) {
      context.fillText(title, Math.min(x, frame.width - wide(title)), 1)
    }
    const down = head.queryTitle ?? "attends from (query)"
    context.textAlign = "right"
    for (const [y, title] of named(head.blocks, frame.height - top > 120 ? `← ${down}` : "← query", top, frame.height, frame.y)) {
      context.save()
      context.translate(1, y)
      context.rotate(-Math.PI / 2)
      context.fillText(title, 0, 0)
      context.restore()
    }
    context.setTransform(1, 0, 0, 1, 0, 0)
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect(), frame = this.frame()
    const c = Math.floor((event.clientX - box.left - this.left + frame.x) / this.cell)
    const r = Math.floor((event.clientY - box.top - this.top + frame.y) / this.cell)
    const inside = event.clientX - box.left >= this.left && event.clientY - box.top >= this.top
    if (!inside || c >= this.head.cols || r >= this.head.rows) return this.clear()
    this.show(r, c)
  }

  key(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key]
    if (event.key === "Escape") return this.clear()
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    const [r, c] = this.at ?? this.last ?? [0, -step[1]]
    const row = clamp(0, r + step[0], this.head.rows - 1), col = clamp(0, c + step[1], this.head.cols - 1)
    this.reveal(row, col)
    this.show(row, col)
    this.live.textContent = this.sentence(row, col)
  }

  reveal(r, c) {
    const { view, cell, left, top } = this
    const into = (from, size, at) => (at * cell < from ? at * cell : (at + 1) * cell > from + size ? (at + 1) * cell - size : from)
    view.scrollLeft = into(view.scrollLeft, view.clientWidth - left, c)
    view.scrollTop = into(view.scrollTop, view.clientHeight - top, r)
  }

  value(r, c) {
    const { head, words } = this
    return (words[r * head.cols + c] / (head.signed ? 32767 : 65535)) * head.scale
  }

  amount(r, c) {
    if (this.absent.has(r)) return this.head.signed ? "not there in the masked text" : "not asked for"
    return amountOf(this.value(r, c), this.head.signed, this.head.unit)
  }

  sentence(r, c) {
    const { tokens, keys } = this.head
    return `${visible(tokens[r])} to ${visible(keys[c])}: ${this.amount(r, c)}`
  }

  show(r, c) {
    const { cell, left, top, head } = this, frame = this.frame()
    this.at = this.last = [r, c]
    const x = left + c * cell - frame.x, y = top + r * cell - frame.y
    const [row, col, spot] = this.cross.children
    const put = (node, l, t, w, h) => Object.assign(node.style, { left: `${l}px`, top: `${t}px`, width: `${w}px`, height: `${h}px` })
    put(row, 18, y, x - 18, cell)
    put(col, x, 18, cell, y - 18)
    put(spot, x - 1, y - 1, Math.max(5, cell + 2), Math.max(5, cell + 2))
    this.cross.style.visibility = "visible"
    const box = this.canvas.getBoundingClientRect()
    const line = (name, token, hidden) => {
      const node = element("p")
      node.append(element("span", "quiet", `${name} `), element("b", "", visible(token)), hidden ? " (hidden)" : "")
      return node
    }
    showTip(this.tip, [element("b", "", this.amount(r, c)), line("from", head.tokens[r], this.hidden.has(r)), line("to", head.keys[c], this.hiddenKeys.has(c))],
      new DOMRect(box.left + x, box.top + y, cell, cell))
  }

  clear() {
    this.at = null
    this.cross.style.visibility = "hidden"
    hideTip(this.tip)
  }
}

export default function ({ data, parentElement }) {
  if (!matrices.has(parentElement)) matrices.set(parentElement, new Matrix(parentElement))
  const matrix = matrices.get(parentElement)
  matrix.started = performance.now()
  matrix.update(unpack(data))
  return () => hideTip(matrix.tip)
}
