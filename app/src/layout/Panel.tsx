/** A titled part of a page. */
import { type ReactNode, useId } from "react";

/** @param end what stands at the right of the title */
export function Panel({
  title,
  end,
  children,
  level = 2,
}: {
  title: ReactNode;
  end?: ReactNode;
  children: ReactNode;
  level?: 2 | 3;
}) {
  const id = useId();
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <section className="panel" aria-labelledby={id}>
      <div className="panel-head">
        <Heading id={id}>{title}</Heading>
        {end !== undefined && <div className="end row">{end}</div>}
      </div>
      {children}
    </section>
  );
}

/** Names and values. What is undefined is left out. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export type Kind = "good" | "bad" | "warn" | "plain";

export function Badge({ kind = "plain", children }: { kind?: Kind; children: ReactNode }) {
  return <span className={kind === "plain" ? "badge" : `badge ${kind}`}>{children}</span>;
}

/** Something a person should know; bad and warning ones are read aloud at once. */
export function Notice({
  kind = "plain",
  title,
  children,
}: {
  kind?: Kind;
  title?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <div className={`notice ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      {title !== undefined && <p className="notice-title">{title}</p>}
      {children}
    </div>
  );
}

/** A wide table that scrolls by itself, also by keyboard. */
export function TableFrame({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
