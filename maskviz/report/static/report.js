"use strict";
(function () {
  const raw = document.getElementById("data").textContent.trim();
  const bytes = Uint8Array.from(atob(raw), (c) => c.charCodeAt(0));
  const data = JSON.parse(new TextDecoder().decode(bytes));
  const tip = document.getElementById("tip");

  function show(target, said) {
    tip.textContent = said; // text, never markup
    tip.hidden = false;
    const box = target.getBoundingClientRect();
    const left = Math.min(box.left, window.innerWidth - tip.offsetWidth - 12);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above > 8 ? above : box.bottom + 8) + "px";
  }
  function hide() { tip.hidden = true; }

  for (const mark of document.querySelectorAll("[data-tip]")) {
    mark.setAttribute("tabindex", "0");
    for (const name of ["mouseenter", "focus"]) mark.addEventListener(name, () => show(mark, mark.dataset.tip));
    for (const name of ["mouseleave", "blur"]) mark.addEventListener(name, hide);
  }

  const words = [...document.querySelectorAll("[data-word]")];
  const tint = (share, signed) => {
    const strength = Math.min(1, Math.sqrt(Math.abs(share))) * 0.75;
    return signed && share < 0 ? `rgba(213,94,0,${strength})` : `rgba(0,114,178,${strength})`;
  };
  let view = "score";

  function paintScores() {
    const top = Math.max(...(data.scores || [0]).map(Math.abs), 1e-9);
    for (const word of words) {
      const score = (data.scores || [])[+word.dataset.word];
      word.style.background = score === undefined || word.classList.contains("hidden") ? "" : tint(score / top, true);
    }
  }
  function paintAttention(from) {
    const row = (data.attention || [])[from] || [];
    const top = Math.max(...row, 1e-9);
    for (const word of words) {
      const share = row[+word.dataset.word] || 0;
      word.style.background = word.classList.contains("hidden") ? "" : tint(share / top, false);
    }
  }
  function percent(share) { return (100 * share).toFixed(1) + " %"; }
  function said(index) {
    if (view === "attention") {
      const row = (data.attention || [])[index] || [];
      const best = row.map((share, i) => [share, i]).sort((a, b) => b[0] - a[0]).slice(0, 3);
      return "looks most at: " + best.map(([share, i]) => data.words[i] + " " + percent(share)).join(", ");
    }
    const score = (data.scores || [])[index];
    if (score === undefined) return data.words[index];
    const way = score >= 0 ? "lowers" : "raises";
    const much = data.unit ? Math.abs(score).toFixed(3) + data.unit : percent(Math.abs(score));
    return "hiding this word alone " + way + " " + (data.measure || "the answer’s probability") + " by " + much;
  }
  for (const word of words) {
    const index = +word.dataset.word;
    word.setAttribute("tabindex", "0");
    for (const name of ["mouseenter", "focus"]) word.addEventListener(name, () => {
      if (view === "attention") paintAttention(index);
      show(word, (word.dataset.why ? word.dataset.why + "; " : "") + said(index));
    });
    for (const name of ["mouseleave", "blur"]) word.addEventListener(name, hide);
  }
  for (const button of document.querySelectorAll("button.switch")) {
    button.addEventListener("click", () => {
      view = button.dataset.view;
      for (const other of document.querySelectorAll("button.switch")) other.setAttribute("aria-pressed", String(other === button));
      if (view === "score") paintScores(); else paintAttention(data.begin || 0);
    });
  }
  if (words.length) paintScores();
})();
