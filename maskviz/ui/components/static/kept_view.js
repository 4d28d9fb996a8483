// The tab keeps the view over a reload, in its own storage: the text neither enters the address
// nor leaves the machine. A link opened in the same tab wins over what was kept at another address.
const PLACE = "maskviz_view"
let session = null // the server's session that has been asked already

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE))
  } catch {
    return null // no storage, or not ours: the page opens as it would without
  }
}

function keep(view) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(view))
  } catch {
    // Storage is full or switched off: a reload then opens the link.
  }
}

export default function ({ data, setTriggerValue }) {
  const before = session === data.session ? null : kept()
  session = data.session
  if (before?.address === location.search && before.link !== data.link) {
    setTriggerValue("link", before.link)
    return
  }
  keep({ address: location.search, link: data.link })
}
