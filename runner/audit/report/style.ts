/** Style of the report. Colours have names; dark ones follow the reader's system. */
export const STYLE = `
:root{--page:#f6f7f9;--card:#fff;--ink:#1c2330;--quiet:#5a6475;--line:#dde1e8;--good:#157347;--bad:#b3261e;--open:#8a5a00;
--fee:#7a5af5;--paid:#157347;--back:#2f6fde;--held:#8a93a3;--g0:#2f6fde;--g1:#157347;--g2:#b4540a;--g3:#7a5af5;--g4:#0b7a86;--g5:#a8326f}
@media (prefers-color-scheme:dark){:root{--page:#11151c;--card:#1a202a;--ink:#e8ecf3;--quiet:#9aa6b8;--line:#2c3543;--good:#5cc792;--bad:#ff8a80;--open:#f0bf5a;
--fee:#a793ff;--paid:#5cc792;--back:#7eaaff;--held:#7d8797;--g0:#7eaaff;--g1:#5cc792;--g2:#f0a35e;--g3:#a793ff;--g4:#5cc3cf;--g5:#ef86b8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:860px;margin:0 auto;padding:24px 16px 48px}
header,section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 22px;margin:0 0 16px}
header{border-left:8px solid var(--held)}
header.passed{border-left-color:var(--good)}header.failed{border-left-color:var(--bad)}header.open{border-left-color:var(--open)}
h1{font-size:26px;margin:0 0 4px}h2{font-size:17px;margin:0 0 12px}
header p{margin:0}.counts{color:var(--quiet)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--ink);font:14px system-ui,sans-serif}svg .quiet{fill:var(--quiet)}svg .strong{font-weight:600}
.band{opacity:.35}.source{fill:var(--ink)}
.fee{fill:var(--fee)}.paid{fill:var(--paid)}.back{fill:var(--back)}.held{fill:var(--held)}
.group0{fill:var(--g0)}.group1{fill:var(--g1)}.group2{fill:var(--g2)}.group3{fill:var(--g3)}.group4{fill:var(--g4)}.group5{fill:var(--g5)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:7px 12px 7px 0;border-top:1px solid var(--line);white-space:nowrap}
thead th,tbody tr:first-child td,tbody tr:first-child th{border-top:0}
.detail{white-space:normal;overflow-wrap:anywhere;min-width:18em;color:var(--quiet)}
.mark{display:inline-block;width:1.4em;font-weight:700}
tr.passed td:first-child{color:var(--good)}tr.failed td:first-child{color:var(--bad)}tr.open td:first-child{color:var(--open)}
tr.failed .detail{color:var(--ink)}
@media (max-width:640px){.picture{overflow-x:auto}.picture svg{min-width:560px}header,section{padding:14px}
.checks tr{display:block;border-top:1px solid var(--line);padding:8px 0}.checks td,.checks th{display:inline-block;border:0;padding:0 12px 0 0}.checks .detail{display:block;min-width:0}}
footer{color:var(--quiet);padding:0 22px}
`;
