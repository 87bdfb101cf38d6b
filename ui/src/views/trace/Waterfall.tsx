// The spans as rows: a tree on the left, bars over time on the right. Only the rows on the screen exist.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { formatDuration, ticks } from '../../base/time';
import { positionOf } from '../../trace/rows';
import { useSize } from '../../widgets/hooks';
import { Splitter } from '../../widgets/Splitter';
import { keyOf } from './state';
import { useTimeDrag } from './useTimeDrag';
import type { TraceViewModel } from './useTraceView';
import { panBy, zoomBy } from './viewport';
import { ROW_HEIGHT, WaterfallRow } from './WaterfallRow';

const RULER_HEIGHT = 26;

export function Waterfall({ view }: { view: TraceViewModel }) {
  const { trace, visible, window, selected } = view;
  const [host, { width }] = useSize<HTMLDivElement>();
  const [chosenWidth, setChosenWidth] = useState<number>();
  const nameWidth = Math.min(
    chosenWidth ?? Math.min(480, Math.max(180, width * 0.36)),
    Math.max(120, width - 140),
  );
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({
    count: visible.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    // The ruler stands above the first row, inside the scroller: what is scrolled to ends so much lower.
    scrollPaddingEnd: RULER_HEIGHT + ROW_HEIGHT,
  });

  const position = selected === undefined ? -1 : positionOf(visible, selected);
  useEffect(() => {
    if (position >= 0) rows.scrollToIndex(position, { align: 'auto' });
    // Follows the selection only: scrolling away from it is allowed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected, view.matches]);

  // React's own wheel listeners are passive; this one must keep the page from zooming.
  const latest = useRef(view);
  useEffect(() => {
    latest.current = view;
  });
  useEffect(() => {
    const element = scroller.current!;
    const onWheel = (event: WheelEvent) => {
      const now = latest.current;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const box = element.querySelector('.ruler-scale')!.getBoundingClientRect();
        const at = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
        now.setZoom(zoomBy(now.window, now.trace.lengthNs, event.deltaY > 0 ? 1.25 : 0.8, at));
      } else if (event.shiftKey && now.zoom) {
        event.preventDefault();
        now.setZoom(panBy(now.window, now.trace.lengthNs, (event.deltaY || event.deltaX) / 1500));
      }
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, []);

  const scaleWidth = width - nameWidth;
  const marks = ticks(window.from, window.to, Math.max(2, Math.floor(scaleWidth / 110)));
  const share = (ns: bigint) => (Number(ns - window.from) / Number(window.to - window.from)) * 100;
  const { selection, handlers } = useTimeDrag(window, view.setZoom);
  const indent = Math.min(14, (nameWidth * 0.5) / Math.max(1, trace.depthMax));

  return (
    <section
      className={`waterfall ${view.sectionsOf ? 'with-path' : ''}`}
      ref={host}
      aria-label="Spans"
      style={{ '--name-width': `${nameWidth}px`, '--indent': `${indent}px` } as React.CSSProperties}
    >
      <div className="waterfall-scroll" ref={scroller}>
        <div className="ruler">
          <div className="ruler-name">
            Service and operation
            <Splitter
              label="Width of the names"
              value={Math.round(nameWidth)}
              min={120}
              max={Math.max(200, width - 140)}
              direction={1}
              onChange={setChosenWidth}
            />
          </div>
          <div className="ruler-scale" title="Drag to zoom" {...handlers}>
            {marks.map((ns) => (
              <span
                key={String(ns)}
                className={`tick num ${share(ns) > 94 ? 'at-end' : ''}`}
                style={{ left: `${share(ns)}%` }}
              >
                {ns === 0n ? '0' : formatDuration(ns)}
              </span>
            ))}
            {selection && (
              <div
                className="brush"
                style={{ left: `${selection.left * 100}%`, width: `${selection.width * 100}%` }}
              />
            )}
          </div>
        </div>
        <div
          className="rows"
          role="treegrid"
          aria-label="Waterfall"
          aria-rowcount={visible.length}
          aria-activedescendant={position >= 0 ? `span-${keyOf(trace, visible[position]!)}` : undefined}
          tabIndex={0}
          style={{ height: rows.getTotalSize() }}
        >
          <div className="grid" aria-hidden="true">
            {marks.map((ns) => (
              <i key={String(ns)} style={{ left: `${share(ns)}%` }} />
            ))}
          </div>
          {rows.getVirtualItems().map((item) => {
            const row = visible[item.index]!;
            return (
              <WaterfallRow
                key={row}
                view={view}
                row={row}
                index={item.index}
                top={item.start}
                selected={row === selected}
                match={view.isMatch ? view.isMatch[row] === 1 : undefined}
                sections={view.sectionsOf?.get(row)}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}
