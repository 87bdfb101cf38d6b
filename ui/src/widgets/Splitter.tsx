// A vertical bar between two panes: dragged, or moved with the arrow keys.
import { useRef, type KeyboardEvent, type PointerEvent } from 'react';
import './Splitter.css';

interface Props {
  label: string;
  value: number;
  min: number;
  max: number;
  /** +1 when the pane to the left has the size, -1 when the pane to the right has it */
  direction: 1 | -1;
  onChange(value: number): void;
}

export function Splitter({ label, value, min, max, direction, onChange }: Props) {
  const from = useRef<{ x: number; value: number } | undefined>(undefined);
  const set = (next: number) => onChange(Math.round(Math.max(min, Math.min(max, next))));
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, value };
  };
  const onPointerMove = (event: PointerEvent) => {
    if (from.current) set(from.current.value + (event.clientX - from.current.x) * direction);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -16 : event.key === 'ArrowRight' ? 16 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    set(value + step * direction);
  };
  return (
    <div
      className="splitter"
      role="separator"
      aria-label={label}
      aria-orientation="vertical"
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => (from.current = undefined)}
      onKeyDown={onKeyDown}
    />
  );
}
