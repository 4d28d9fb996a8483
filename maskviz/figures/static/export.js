// The exported page holds 16 bits for each cell; the mosaic's bytes are worked out from them.
const bytesOf = text => Uint8Array.from(atob(text.trim()), letter => letter.charCodeAt(0))
const message = unpack(bytesOf(document.getElementById("message").textContent))
const { head: all, ramps } = message
const words = new (all.signed ? Int16Array : Uint16Array)(message.cells.slice().buffer)
const size = all.rows * all.cols
const small = Uint8Array.from(words, all.signed
  ? v => Math.round(Math.sign(v) * Math.sqrt(Math.abs(v) / 32767) * 127 + 127)
  : v => Math.round(Math.sqrt(v / 65535) * 255))

const matrix = new Matrix(document.getElementById("head"))
const mosaic = new Mosaic(document.getElementById("mosaic"))
const show = (layer, head) => {
  const at = layer * all.heads + head, role = all.roles[layer]?.[head]
  const name = mosaic.placeOf(at)
  document.getElementById("name").textContent = role ? `${name} · ${role[3]}` : name
  const part = words.slice(at * size, (at + 1) * size)
  matrix.update({
    ramps,
    head: { ...all, scale: all.peak, label: name },
    cells: new Uint8Array(part.buffer),
  })
}
const paintAll = () => mosaic.update({ ramps, head: all, cells: small }, (_, { layer, head }) => {
  all.selected = [layer, head]
  show(layer, head)
})
const paintPage = () => { paintAll(); show(...all.selected) }
paintPage()
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintPage)
