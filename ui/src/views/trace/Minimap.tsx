// The whole trace at a glance; dragging across it zooms, the frame shows what is on the screen.
import { useCallback, useMemo } from 'react';
import { CANVAS, serviceColour, type Theme } from '../../base/colour';
import { Status } from '../../trace/columns';
import type { Trace } from '../../trace/model';
import { useCanvas, useSize } from '../../widgets/hooks';
import { useTheme } from '../../widgets/theme';
import { useTimeDrag } from './useTimeDrag';
import type { TraceViewModel } from './useTraceView';
import { panBy } from './viewport';

const HEIGHT = 56;

export function Minimap({ view }: { view: TraceViewModel }) {
  const { trace, visible, window, zoom } = view;
  const [host, { width }] = useSize<HTMLDivElement>();
  const { theme } = useTheme();
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => paint(context, trace, visible, width, theme),
    [trace, visible, width, theme],
  );
  const canvas = useCanvas(width, HEIGHT, draw);
  const whole = useMemo(() => ({ from: 0n, to: trace.lengthNs > 0n ? trace.lengthNs : 1n }), [trace]);
  const share = (ns: bigint) => (Number(ns) / Number(whole.to)) * 100;
  const { selection, handlers } = useTimeDrag(whole, view.setZoom, (at) => {
    // A click moves the frame there.
    if (!zoom) return;
    const size = Number(window.to - window.from);
    view.setZoom(
      panBy(window, trace.lengthNs, (at * Number(whole.to) - Number(window.from) - size / 2) / size),
    );
  });
  return (
    <div className="minimap" ref={host} style={{ height: HEIGHT }} {...handlers}>
      <canvas
        ref={canvas}
        role="img"
        aria-label="Overview of the whole trace"
        style={{ width: '100%', height: HEIGHT }}
      />
      {zoom && (
        <>
          <div className="minimap-shade" style={{ left: 0, width: `${share(zoom.from)}%` }} />
          <div className="minimap-shade" style={{ left: `${share(zoom.to)}%`, right: 0 }} />
          <div
            className="minimap-frame"
            style={{ left: `${share(zoom.from)}%`, width: `${share(zoom.to) - share(zoom.from)}%` }}
          />
        </>
      )}
      {selection && (
        <div
          className="brush"
          style={{ left: `${selection.left * 100}%`, width: `${selection.width * 100}%` }}
        />
      )}
    </div>
  );
}

function paint(
  context: CanvasRenderingContext2D,
  trace: Trace,
  visible: Int32Array,
  width: number,
  theme: Theme,
): void {
  const colours = trace.resources.map((r) => serviceColour(trace.dictionary[r.service]!, theme));
  const scale = width / (Number(trace.lengthNs) || 1);
  const rowHeight = (HEIGHT - 8) / visible.length;
  const thickness = Math.max(0.7, Math.min(3, rowHeight * 0.8));
  context.globalAlpha = visible.length > 5000 ? 0.5 : 0.9;
  let last = -1;
  for (let i = 0; i < visible.length; i++) {
    const row = visible[i]!;
    const colour = trace.spans.resource[row]!;
    if (colour !== last) context.fillStyle = colours[(last = colour)]!;
    context.fillRect(
      trace.startAt[row]! * scale,
      4 + i * rowHeight,
      Math.max(1, trace.length[row]! * scale),
      thickness,
    );
  }
  // Errors on top, never thinner than can be seen.
  context.globalAlpha = 1;
  context.fillStyle = CANVAS[theme].error;
  for (let i = 0; i < visible.length; i++) {
    const row = visible[i]!;
    if (trace.spans.status[row] !== Status.error) continue;
    context.fillRect(
      trace.startAt[row]! * scale,
      4 + i * rowHeight,
      Math.max(1.5, trace.length[row]! * scale),
      Math.max(1.5, thickness),
    );
  }
}
