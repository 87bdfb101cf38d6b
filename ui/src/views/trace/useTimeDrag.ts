// Dragging across a strip that shows [from, to] of the trace selects a window; used by the minimap and the ruler.
import { useState, type PointerEvent } from 'react';
import type { Window } from './viewport';

export interface TimeDrag {
  /** left edge and width of the selection in progress, as shares of the strip */
  selection: { left: number; width: number } | undefined;
  handlers: {
    onPointerDown(event: PointerEvent<HTMLElement>): void;
    onPointerMove(event: PointerEvent<HTMLElement>): void;
    onPointerUp(event: PointerEvent<HTMLElement>): void;
  };
}

export function useTimeDrag(
  shown: Window,
  onSelect: (window: Window) => void,
  onClick?: (share: number) => void,
): TimeDrag {
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const share = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const at = (s: number) => shown.from + BigInt(Math.round(Number(shown.to - shown.from) * s));
  return {
    selection: drag && { left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from) },
    handlers: {
      onPointerDown(event) {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: share(event), to: share(event) });
      },
      onPointerMove(event) {
        if (drag) setDrag({ from: drag.from, to: share(event) });
      },
      onPointerUp(event) {
        if (!drag) return;
        const to = share(event);
        setDrag(undefined);
        const pixels = Math.abs(to - drag.from) * event.currentTarget.clientWidth;
        if (pixels < 4) onClick?.(to);
        else onSelect({ from: at(Math.min(drag.from, to)), to: at(Math.max(drag.from, to)) });
      },
    },
  };
}
