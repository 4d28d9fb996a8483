export default function ({ data, parentElement, setStateValue }) {
  if (!strips.has(parentElement)) strips.set(parentElement, new Strip(parentElement))
  const strip = strips.get(parentElement)
  strip.update(data, setStateValue)
  return () => strip.tell()
}
