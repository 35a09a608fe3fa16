/** A labelled input with its hint and its error. */
import { useId } from "react";

export function TextField({
  label,
  value,
  onChange,
  hint,
  error,
  inputMode,
  wide = false,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  error?: string | undefined;
  inputMode?: "numeric" | "decimal" | "text";
  /** Room for an address. */
  wide?: boolean;
}) {
  const id = useId();
  return (
    <div className={wide ? "field wide" : "field"}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        inputMode={inputMode}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id={`${id}-hint`} className={error === undefined ? "fine" : "fine bad-text"}>
        {error ?? hint}
      </span>
    </div>
  );
}
