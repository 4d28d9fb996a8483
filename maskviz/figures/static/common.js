// Shared by the attention components. All user text goes through textContent or a canvas.
const element = (name, className, text) => {
  const node = document.createElement(name)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

const share = p => p === 0 ? "0 %" : p < 0.00005 ? "under 0.01 %" : `${(100 * p).toFixed(Math.abs(p) >= 0.0995 ? 0 : Math.abs(p) >= 0.00995 ? 1 : 2)} %`
const points = d => {
  const sign = d > 0 ? "+" : d < 0 ? "−" : ""
  return `${sign}${Math.abs(100 * d).toFixed(Math.abs(d) >= 0.0995 ? 0 : Math.abs(d) >= 0.00995 ? 1 : 2)} points`
}

// What a cell is worth: a share, a change in points, or a number of the method's own unit.
const ownUnit = unit => Boolean(unit) && !/percent/.test(unit)
const amountOf = (value, signed, unit) => ownUnit(unit) ? `${(100 * value).toPrecision(3)} hundredths` : signed ? points(value) : share(value)

const unpack = bytes => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true), start = 4 + length
  return {
    head: JSON.parse(new TextDecoder().decode(bytes.subarray(4, start))),
    ramps: { light: bytes.subarray(start, start + 768), dark: bytes.subarray(start + 768, start + 1536) },
    cells: bytes.subarray(start + 1536),
  }
}

// Streamlit hands over colours only: the page is dark when its background is.
const themeOf = root => {
  const probe = element("canvas").getContext("2d")
  probe.fillStyle = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#fff"
  const [r, g, b] = [1, 3, 5].map(i => parseInt(probe.fillStyle.slice(i, i + 2), 16))
  return 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light"
}

// One opaque pixel (ABGR, as a little-endian canvas wants it) for each of the 256 entries.
const pixelsOf = ramp => Uint32Array.from({ length: 256 }, (_, i) =>
  (255 << 24 | ramp[3 * i + 2] << 16 | ramp[3 * i + 1] << 8 | ramp[3 * i]) >>> 0)

const gradientOf = (ramp, entries) => {
  const stops = Array.from({ length: 17 }, (_, i) => {
    const at = Math.round((i * (entries - 1)) / 16)
    return `rgb(${ramp[3 * at]}, ${ramp[3 * at + 1]}, ${ramp[3 * at + 2]})`
  })
  return `linear-gradient(to right, ${stops.join(", ")})`
}

// Colour grows with the square root of the weight, so the ticks stand where their weights do.
const drawLegend = (legend, ramp, signed, scale, unit, note = "") => {
  const bar = element("div", "ramp"), ticks = element("div", "ticks")
  bar.style.background = gradientOf(ramp, signed ? 255 : 256)
  const parts = signed ? [-1, -0.25, 0, 0.25, 1] : [0, 0.05, 0.2, 0.5, 1]
  for (const part of scale === null ? parts.filter(part => Math.abs(part) === 1 || part === 0) : parts) {
    const root = Math.sign(part) * Math.sqrt(Math.abs(part))
    const tick = element("span", "", scale === null ? named(part, signed) : tickText(part * scale, signed, part === 1 && !ownUnit(unit)))
    tick.style.left = `${signed ? 50 + 50 * root : 100 * root}%`
    ticks.append(tick)
  }
  const scaleBox = element("div", "scale")
  scaleBox.append(bar, ticks)
  legend.replaceChildren(scaleBox, element("div", "unit", note ? `${unit} ${note}` : unit))
}
const named = (part, signed) => (part === 0 ? "0" : part < 0 ? "−largest" : signed ? "+largest" : "largest")
const tickText = (value, signed, last) => {
  if (value === 0) return "0"
  const text = signed ? points(value).replace(" points", "") : share(value).replace(" %", "")
  return last && !signed ? `${text} %` : text
}

// Paint the source range [r0, r1) × [c0, c1) of a map into w × h pixels. Where several cells meet
// in one pixel the strongest shows: a mean would wash out the thin diagonals that matter.
// `zero` is the byte that stands for 0 in signed cells.
const paintMap = (target, stride, [x0, y0, w, h], cells, colours, zero, cols, [r0, r1, c0, c1]) => {
  const edges = (n, from, to) => Int32Array.from({ length: n + 1 }, (_, i) => Math.floor(from + ((to - from) * i) / n))
  const xs = edges(w, c0, c1), ys = edges(h, r0, r1)
  for (let y = 0; y < h; y++) {
    const top = ys[y], bottom = Math.max(top + 1, ys[y + 1])
    let p = (y0 + y) * stride + x0
    if (y > 0 && top === ys[y - 1] && bottom === Math.max(ys[y - 1] + 1, top)) {
      target.copyWithin(p, p - stride, p - stride + w)
      continue
    }
    for (let x = 0; x < w; x++) {
      const left = xs[x], right = Math.max(left + 1, xs[x + 1])
      let best = cells[top * cols + left], strength = Math.abs(best - zero)
      for (let r = top; r < bottom; r++) {
        for (let k = r * cols + left, end = r * cols + right; k < end; k++) {
          const here = Math.abs(cells[k] - zero)
          if (here > strength) { strength = here; best = cells[k] }
        }
      }
      target[p++] = colours[best]
    }
  }
}

const showTip = (tip, rows, box) => {
  tip.replaceChildren(...rows)
  if (!tip.matches(":popover-open")) tip.showPopover()
  const width = tip.offsetWidth, height = tip.offsetHeight
  const middle = box.left + box.width / 2 - width / 2
  const below = box.bottom + 8
  tip.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, middle))}px`
  tip.style.top = `${below + height < innerHeight - 8 ? below : Math.max(8, box.top - height - 8)}px`
}
const hideTip = tip => { if (tip.matches(":popover-open")) tip.hidePopover() }

const clamp = (low, value, high) => Math.max(low, Math.min(high, value))
const visible = token => (/^\s*$/.test(token) ? token.replace(/\s/g, "␣") || "∅" : withMarks(token))
