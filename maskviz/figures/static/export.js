// The exported page holds 16 bits for each cell; the mosaic's bytes are worked out from them.
const bytesOf = text => Uint8Array.from(atob(text.trim()), letter => letter.charCodeAt(0))
const held = [...document.querySelectorAll("script.message")]
const matrix = new Matrix(document.getElementById("head"))
const mosaic = new Mosaic(document.getElementById("mosaic"))
const arms = document.getElementById("arms")
let arm // what is shown: its header, ramps, words and bytes

const opened = [] // what was read once is kept
const read = index => opened[index] ??= unpacked(held[index].textContent)
const unpacked = text => {
  const { head, ramps, cells } = unpack(bytesOf(text))
  const words = new (head.signed ? Int16Array : Uint16Array)(cells.slice().buffer)
  const small = Uint8Array.from(words, head.signed
    ? v => Math.round(Math.sign(v) * Math.sqrt(Math.abs(v) / 32767) * 127 + 127)
    : v => Math.round(Math.sqrt(v / 65535) * 255))
  return { head, ramps, words, small }
}
const show = (layer, head) => {
  const all = arm.head, size = all.rows * all.cols
  const at = layer * all.heads + head, role = all.roles[layer]?.[head]
  const name = mosaic.placeOf(at)
  document.getElementById("name").textContent = role ? `${name} · ${role[3]}` : name
  const part = arm.words.slice(at * size, (at + 1) * size)
  matrix.update({
    ramps: arm.ramps,
    head: { ...all, scale: all.peak, label: name },
    cells: new Uint8Array(part.buffer),
  })
}
const paintPage = () => {
  const { head, ramps, small } = arm
  mosaic.update({ ramps, head, cells: small }, (_, picked) => {
    head.selected = [picked.layer, picked.head]
    show(picked.layer, picked.head)
  })
  show(...head.selected)
}
// The head that is looked at stays chosen where the other arm has it, too.
const open = index => {
  const next = read(index), place = arm?.head.selected
  if (place && place[0] < next.head.layers && place[1] < next.head.heads) next.head.selected = place
  arm = next
  document.getElementById("sentence").textContent = arm.head.sentence
  ;[...arms.children].forEach((button, i) => button.setAttribute("aria-pressed", i === index))
  paintPage()
}
if (held.length > 1) {
  arms.hidden = false
  held.forEach((_, index) => {
    const button = element("button", "", read(index).head.name)
    button.type = "button"
    button.onclick = () => open(index)
    arms.append(button)
  })
}
open(Math.max(0, held.findIndex(node => node.dataset.opened === "1")))
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintPage)
