// The strip as a picture: what the browser has laid out, written down again as text and blocks.
// A hidden word gives its block alone, so that no picture holds it.
// Drawing programs do not read color(srgb …), so a colour is painted and read back as rgb.
const NOT_IN_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu
const plainColours = new Map()
function plainColour(colour) {
  if (!plainColours.has(colour)) {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    plainColours.set(colour, `rgb(${[...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)].join(", ")})`)
  }
  return plainColours.get(colour)
}

const pictureFont = node => {
  const style = getComputedStyle(node)
  return { size: parseFloat(style.fontSize), family: style.fontFamily, weight: style.fontWeight,
    fill: plainColour(style.color) }
}

function pictureRuns(host, dx, dy, pen) {
  const runs = [], range = document.createRange()
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT)
  for (let node; (node = walker.nextNode());) {
    if (node.parentElement.closest(".off .word")) continue
    const font = pictureFont(node.parentElement)
    pen.font = `${font.weight} ${font.size}px ${font.family}`
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText("x")
    let run = null, at = 0
    for (const character of node.data) {
      range.setStart(node, at)
      range.setEnd(node, (at += character.length))
      const box = range.getClientRects()[0]
      if (!box || (!box.width && !run)) continue
      if (!run || Math.abs(run.top - box.top) > 2) {
        run = { ...font, text: "", left: box.left + dx, right: box.right + dx, top: box.top,
          y: box.top + dy + (box.height - up - down) / 2 + up }
        runs.push(run)
      }
      run.text += character
      run.left = Math.min(run.left, box.left + dx)
      run.right = Math.max(run.right, box.right + dx)
    }
  }
  return runs.filter(run => run.text.trim())
}

function pictureBlocks(host, dx, dy) {
  const found = [...host.querySelectorAll(".off .word, .dot")]
  return found.flatMap(node => [...node.getClientRects()].map(box => {
    const style = getComputedStyle(node)
    return { x: box.left + dx, y: box.top + dy, width: box.width, height: box.height,
      fill: plainColour(style.backgroundColor),
      line: parseFloat(style.borderBottomWidth) || 0, tone: plainColour(style.borderBottomColor) }
  }))
}

function pictureOf(strip) {
  const { text, legend } = strip, pad = 12
  const pen = document.createElement("canvas").getContext("2d")
  const box = text.getBoundingClientRect(), below = legend.getBoundingClientRect()
  const hosts = [[text, pad - box.left, pad - box.top + text.scrollTop]]
  if (below.height) hosts.push([legend, pad - below.left, 2 * pad + text.scrollHeight - below.top])
  return {
    width: Math.ceil(box.width) + 2 * pad,
    height: Math.ceil(text.scrollHeight + (below.height ? below.height + pad : 0)) + 2 * pad,
    back: getComputedStyle(text).getPropertyValue("--st-background-color").trim() || "#fff",
    runs: hosts.flatMap(([host, dx, dy]) => pictureRuns(host, dx, dy, pen)),
    blocks: hosts.flatMap(([host, dx, dy]) => pictureBlocks(host, dx, dy)),
  }
}

function pictureAsSvg(picture) {
  const node = (name, values, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name)
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value)
    if (text !== undefined) made.textContent = text
    return made
  }
  const { width, height, back } = picture
  const svg = node("svg", { width, height, viewBox: `0 0 ${width} ${height}` })
  svg.append(node("rect", { width, height, fill: back }))
  for (const { x, y, width, height, fill, line, tone } of picture.blocks) {
    svg.append(node("rect", { x, y, width, height, fill, rx: 3 }))
    if (line) svg.append(node("rect", { x, y: y + height - line, width, height: line, fill: tone }))
  }
  for (const run of picture.runs) {
    const rtl = RTL.test(run.text)
    svg.append(node("text", { x: rtl ? run.right : run.left, y: run.y, fill: run.fill,
      "font-size": run.size, "font-family": run.family, "font-weight": run.weight,
      textLength: run.right - run.left, lengthAdjust: "spacingAndGlyphs", "xml:space": "preserve",
      direction: rtl ? "rtl" : "ltr" }, run.text.replace(NOT_IN_XML, "\ufffd")))
  }
  const written = new XMLSerializer().serializeToString(svg)
  return Promise.resolve(new Blob([written], { type: "image/svg+xml" }))
}

function pictureAsPng(picture) {
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d"), scale = 2
  canvas.width = scale * picture.width
  canvas.height = scale * picture.height
  pen.scale(scale, scale)
  pen.fillStyle = picture.back
  pen.fillRect(0, 0, picture.width, picture.height)
  for (const { x, y, width, height, fill, line, tone } of picture.blocks) {
    pen.fillStyle = fill
    pen.fillRect(x, y, width, height)
    pen.fillStyle = tone
    pen.fillRect(x, y + height - line, width, line)
  }
  for (const run of picture.runs) {
    const rtl = RTL.test(run.text)
    pen.font = `${run.weight} ${run.size}px ${run.family}`
    pen.fillStyle = run.fill
    pen.direction = rtl ? "rtl" : "ltr"
    pen.textAlign = rtl ? "right" : "left"
    pen.fillText(run.text, rtl ? run.right : run.left, run.y)
  }
  return new Promise(done => canvas.toBlob(done, "image/png"))
}

async function savePicture(strip, kind) {
  const blob = await (kind === "svg" ? pictureAsSvg : pictureAsPng)(pictureOf(strip))
  const link = element("a")
  link.href = URL.createObjectURL(blob)
  link.download = `mask.${kind}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  strip.say(`Saved as mask.${kind}`)
}

