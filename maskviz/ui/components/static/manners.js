// What the browser's page does by itself, whichever page of the app it shows. Begun once a document.
const NARROW = "(max-width: 767.98px)" // where Streamlit lays the sidebar over the page
const SIDEBAR = '[data-testid="stSidebar"]'

const narrow = () => matchMedia(NARROW).matches

// Streamlit keeps an open sidebar for the next visit: on a phone it would lie over every page.
function forget() {
  try {
    Object.keys(localStorage).filter(key => key.startsWith("stSidebarCollapsed"))
      .forEach(key => localStorage.removeItem(key))
  } catch {
    // Storage is switched off: then nothing was kept.
  }
}

function closeMenu() {
  const sidebar = document.querySelector(SIDEBAR)
  if (!narrow() || sidebar?.dataset.collapsed !== "false") return
  sidebar.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click()
}

// Streamlit's own handlers come first: what they closed is not opened again.
function clicked(event) {
  if (!narrow()) return
  if (event.target.closest?.(`${SIDEBAR} a[href]`)) setTimeout(closeMenu)
  setTimeout(forget)
}

// Tab enters a row of chips at the chosen one, as it enters radio buttons; Streamlit's at the first.
function entered(event) {
  const row = event.target.closest?.('[role="radiogroup"]')
  if (!byTab || !row || row.contains(event.relatedTarget)) return
  row.querySelector('[role="radio"][aria-checked="true"]')?.focus()
}

let byTab = false
let begun = false

function begin() {
  document.addEventListener("keydown", event => { byTab = event.key === "Tab" }, true)
  document.addEventListener("pointerdown", () => { byTab = false }, true)
  document.addEventListener("focusin", entered)
  document.addEventListener("click", clicked)
  closeMenu()
  if (narrow()) setTimeout(forget)
}

export default function () {
  if (!begun) begin()
  begun = true
}
