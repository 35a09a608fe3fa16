import { Badge, Panel } from "../layout/Panel.tsx";
import type { Check } from "./checks.ts";
import { CHECK_WORDS } from "./words.ts";

const KINDS = { passed: "good", failed: "bad", "not checkable": "warn" } as const;

/** Each check with its result and what was found. */
export function ChecksPanel({ checks }: { checks: readonly Check[] }) {
  const passed = checks.filter(({ result }) => result === "passed").length;
  return (
    <Panel title="Checks" end={<span className="fine">{`${passed} of ${checks.length} passed`}</span>}>
      <ul className="checks">
        {checks.map(({ name, result, detail, onlyLocal }) => (
          <li key={name}>
            <Badge kind={onlyLocal ? "warn" : KINDS[result]}>{onlyLocal ? "local only" : result}</Badge>
            <span>
              <strong>{CHECK_WORDS[name]}</strong>
              <span className={result === "failed" ? "fine bad-text" : "fine"}>{detail}</span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
