// Pages of countries share most of their words: of hits that are as good, those on other pages come first.
var Scorer = {
  score: ([page, , , , score]) => /^country-[a-z]{3}$/.test(page) ? score - 1 : score,
  objNameMatch: 11, objPartialMatch: 6, objPrio: {0: 15, 1: 5, 2: -5}, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
