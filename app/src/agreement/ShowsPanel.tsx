import { Panel } from "../layout/Panel.tsx";
import { SHOWS, SHOWS_NOT } from "./words.ts";

/** What one may conclude from a certificate, and what not. */
export function ShowsPanel() {
  return (
    <div className="columns">
      <Panel title="What this shows">
        <ul>
          {SHOWS.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </Panel>
      <Panel title="What this does not show">
        <ul>
          {SHOWS_NOT.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
