// Found traces as points. Click opens one, dragging selects a time range. The list below holds the same traces for those who do not
// use a pointer.
import { useCallback, useMemo, useState, type PointerEvent } from 'react';
import { CANVAS, type Theme } from '../../base/colour';
import { plural } from '../../base/number';
import type { RangeNs } from '../../base/range';
import { DAY, formatClock, formatDateTime, formatDay, formatDuration, MS } from '../../base/time';
import type { TraceHit } from '../../client/api';
import { useCanvas, useSize } from '../../widgets/hooks';
import { useTheme } from '../../widgets/theme';
import { layoutScatter, MARGIN, pointAt, type Layout, type Point } from './scatterLayout';

const HEIGHT = 190;

interface Props {
  hits: TraceHit[];
  range: RangeNs;
  highlighted?: string;
  onOpen(traceId: string): void;
  onBrush(range: RangeNs): void;
}

export function Scatter({ hits, range, highlighted, onOpen, onBrush }: Props) {
  const [host, { width }] = useSize<HTMLDivElement>();
  const { theme } = useTheme();
  const [hover, setHover] = useState<Point>();
  const [brush, setBrush] = useState<{ from: number; to: number }>();
  const layout = useMemo(() => layoutScatter(hits, range, width, HEIGHT), [hits, range, width]);
  const draw = useCallback(
    (context: CanvasRenderingContext2D) =>
      paint(context, layout, width, theme, hover?.hit.traceId ?? highlighted),
    [layout, width, theme, hover, highlighted],
  );
  const canvas = useCanvas(width, HEIGHT, draw);
  const at = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const clampX = (x: number) => Math.max(MARGIN.left, Math.min(width - MARGIN.right, x));

  return (
    <div
      className="scatter"
      ref={host}
      style={{ height: HEIGHT, cursor: hover ? 'pointer' : 'crosshair' }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const x = clampX(at(event).x);
        setBrush({ from: x, to: x });
      }}
      onPointerMove={(event) => {
        const { x, y } = at(event);
        if (brush) setBrush({ from: brush.from, to: clampX(x) });
        setHover(brush && Math.abs(brush.to - brush.from) > 4 ? undefined : pointAt(layout.points, x, y));
      }}
      onPointerUp={(event) => {
        const { x, y } = at(event);
        setBrush(undefined);
        if (brush && Math.abs(clampX(x) - brush.from) > 4) {
          const [a, b] = [layout.timeAt(brush.from), layout.timeAt(clampX(x))];
          onBrush(a < b ? { start: a, end: b } : { start: b, end: a });
        } else {
          const point = pointAt(layout.points, x, y);
          if (point) onOpen(point.hit.traceId);
        }
      }}
      onPointerLeave={() => setHover(undefined)}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${plural(hits.length, 'trace')} by start and duration; the list below holds the same`}
        style={{ width: '100%', height: HEIGHT }}
      />
      {brush && (
        <div
          className="brush"
          style={{ left: Math.min(brush.from, brush.to), width: Math.abs(brush.to - brush.from) }}
        />
      )}
      {hover && !(brush && brush.from !== brush.to) && <Tip point={hover} width={width} />}
    </div>
  );
}

function Tip({ point, width }: { point: Point; width: number }) {
  const { hit } = point;
  const right = point.x > width * 0.6;
  return (
    <div
      className="scatter-tip"
      style={{
        top: Math.min(point.y + 10, HEIGHT - 64),
        ...(right ? { right: width - point.x + 12 } : { left: point.x + 12 }),
      }}
    >
      <strong>
        {hit.rootService || 'root not seen'} {hit.rootName}
      </strong>
      <div className="num">
        {formatDuration(hit.durationNs)} · {plural(hit.spanCount, 'span')}
        {hit.errorCount > 0 && <span className="error-text"> · {plural(hit.errorCount, 'error')}</span>}
      </div>
      <div className="faint num">{formatDateTime(hit.startNs)}</div>
    </div>
  );
}

function paint(
  context: CanvasRenderingContext2D,
  layout: Layout,
  width: number,
  theme: Theme,
  marked: string | undefined,
): void {
  const colours = CANVAS[theme];
  const days = layout.xTicks.length > 1 && layout.xTicks[1]!.ns - layout.xTicks[0]!.ns >= DAY;
  context.font = '11px system-ui, sans-serif';
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.text;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const { y, ns } of layout.yTicks) {
    line(context, MARGIN.left, y, width - MARGIN.right, y);
    context.fillText(formatDuration(ns), MARGIN.left - 8, y);
  }
  context.textAlign = 'center';
  for (const { x, ns } of layout.xTicks) {
    if (x < MARGIN.left || x > width - MARGIN.right) continue;
    line(context, x, HEIGHT - MARGIN.bottom, x, HEIGHT - MARGIN.bottom + 4);
    const date = new Date(Number(ns / MS));
    context.fillText(
      days ? formatDay(date).slice(5) : formatClock(date).slice(0, ns % 60_000_000_000n === 0n ? 5 : 8),
      x,
      HEIGHT - 8,
    );
  }
  // Errors last, so that they lie on top.
  for (const errors of [false, true]) {
    for (const point of layout.points) {
      if (point.error !== errors) continue;
      context.beginPath();
      context.arc(point.x, point.y, point.radius, 0, Math.PI * 2);
      context.globalAlpha = 0.55;
      context.fillStyle = errors ? colours.error : colours.dot;
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = context.fillStyle;
      context.stroke();
      if (point.hit.traceId === marked) {
        context.lineWidth = 2;
        context.strokeStyle = colours.accent;
        context.beginPath();
        context.arc(point.x, point.y, point.radius + 3, 0, Math.PI * 2);
        context.stroke();
        context.lineWidth = 1;
      }
    }
  }
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  context.stroke();
}
