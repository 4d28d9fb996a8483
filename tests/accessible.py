"""What axe-core finds wrong for those who do not see, or do not use a mouse.

`axe/` holds the one file of axe-core 4.14.1 as its makers publish it, and its licences (MPL-2.0).
"""

from __future__ import annotations

from pathlib import Path

AXE = Path(__file__).parent / "axe" / "axe.min.js"
_GRAVE = ("serious", "critical")
# A colour on its way to another has the contrast of neither.
_STILL = """() => {
    const style = document.createElement("style")
    style.textContent = "*, ::before, ::after { transition: none !important }"
    document.head.append(style)
    return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
}"""
_RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


def violations(page) -> list[str]:
    """Return what is wrong on a page that is at rest: the rule, the place, why; minor ones not."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
        page.evaluate(_STILL)
    return [
        f"{found['id']}: {node['html'][:200]} ({node['failureSummary'][:200]})"
        for found in page.evaluate(_RUN)
        if found["impact"] in _GRAVE
        for node in found["nodes"]
    ]
