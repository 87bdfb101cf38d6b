// The time range: presets, or two bounds in words ("now-15m") or dates.
import { useId, useState } from 'react';
import { describeRange, RANGE_PRESETS, resolveRange, type RangeText } from '../../base/range';
import { formatDateTime, nowNs } from '../../base/time';
import { Icon } from '../../widgets/Icon';

export function RangePicker({ range, onChange }: { range: RangeText; onChange(range: RangeText): void }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const choose = (next: RangeText) => {
    setOpen(false);
    onChange(next);
  };
  return (
    <div
      className="range-picker"
      onBlur={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget)) setOpen(false);
      }}
      onKeyDown={(e) => {
        if (e.key === 'Escape') setOpen(false);
      }}
    >
      <button
        type="button"
        className="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <Icon name="clock" /> {describeRange(range)} <Icon name="down" size={11} />
      </button>
      {open && (
        <div className="popover range-popover" id={id} role="group" aria-label="Time range" tabIndex={-1}>
          <div className="range-presets">
            {RANGE_PRESETS.map((preset) => (
              <button
                key={preset.start}
                type="button"
                aria-pressed={range.start === preset.start && range.end === 'now'}
                onClick={() => choose({ start: preset.start, end: 'now' })}
              >
                Last {preset.label}
              </button>
            ))}
          </div>
          <CustomRange range={range} onApply={choose} />
        </div>
      )}
    </div>
  );
}

const asText = (bound: string) => (/^\d{15,20}$/.test(bound) ? formatDateTime(BigInt(bound)) : bound);

function CustomRange({ range, onApply }: { range: RangeText; onApply(range: RangeText): void }) {
  const [start, setStart] = useState(asText(range.start));
  const [end, setEnd] = useState(asText(range.end));
  const [problem, setProblem] = useState('');
  const id = useId();
  return (
    <form
      className="range-custom"
      onSubmit={(event) => {
        event.preventDefault();
        const next = { start: exact(start, range.start), end: exact(end, range.end) };
        const resolved = resolveRange(next, nowNs());
        if ('problem' in resolved) setProblem(resolved.problem);
        else onApply(next);
      }}
    >
      <label className="field-label" htmlFor={`${id}-start`}>
        From
      </label>
      <input id={`${id}-start`} value={start} onChange={(e) => setStart(e.target.value)} spellCheck={false} />
      <label className="field-label" htmlFor={`${id}-end`}>
        To
      </label>
      <input id={`${id}-end`} value={end} onChange={(e) => setEnd(e.target.value)} spellCheck={false} />
      <p className="faint">now-90m, or 2026-11-21 15:04:05 in local time</p>
      {problem && (
        <p className="error-text" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button button-primary">
        Apply
      </button>
    </form>
  );
}

/** A bound that was not edited keeps its nanoseconds; a date that was becomes nanoseconds, so that a link means the same anywhere. */
function exact(text: string, old: string): string {
  if (text === asText(old)) return old;
  if (text.includes('now')) return text;
  const ms = Date.parse(text.trim().replace(' ', 'T'));
  return Number.isNaN(ms) ? text : `${BigInt(ms) * 1_000_000n}`;
}
