// One span: its place in the tree, its name, its bar with events and critical path, and what is odd about it.
import { memo } from 'react';
import { serviceCss } from '../../base/colour';
import { formatCount, plural } from '../../base/number';
import { formatDuration } from '../../base/time';
import { Mark } from '../../trace/columns';
import type { Section } from '../../trace/criticalPath';
import { errorsBelow, isError, nameOf, serviceOf, type Trace } from '../../trace/model';
import { isCollapsed } from '../../trace/rows';
import { targetOf } from '../../trace/target';
import { Icon } from '../../widgets/Icon';
import { keyOf } from './state';
import type { TraceViewModel } from './useTraceView';

export const ROW_HEIGHT = 26;

interface Props {
  view: TraceViewModel;
  row: number;
  index: number;
  top: number;
  selected: boolean;
  /** undefined while nothing is searched for */
  match: boolean | undefined;
  sections: Section[] | undefined;
}

export const WaterfallRow = memo(function WaterfallRow(props: Props) {
  const { view, row, index, top, selected, match, sections } = props;
  const { trace } = view;
  const children = trace.childCount[row]!;
  const collapsed = isCollapsed(trace, view.collapse, row);
  const error = isError(trace, row);
  const hiddenErrors = collapsed ? errorsBelow(trace, row) : 0;
  const service = serviceOf(trace, row);
  const parent = trace.spans.parent[row]!;
  const sameService = parent >= 0 && serviceOf(trace, parent) === service;
  const depth = trace.depth[row]!;
  const classes = [
    'row',
    selected && 'selected',
    error && 'error',
    match === true && 'match',
    match === false && 'dim',
  ].filter(Boolean);
  return (
    <div
      id={`span-${keyOf(trace, row)}`}
      className={classes.join(' ')}
      role="row"
      aria-rowindex={index + 1}
      aria-level={depth + 1}
      aria-expanded={children > 0 ? !collapsed : undefined}
      aria-selected={selected}
      data-span={trace.spans.id[row]}
      style={{ transform: `translateY(${top}px)`, '--service': serviceCss(service) } as React.CSSProperties}
      onClick={() => view.select(row, 'span')}
    >
      <div className="cell-name" role="gridcell">
        <span
          className={view.guides ? 'guides' : ''}
          style={{ flex: 'none', width: `calc(${depth} * var(--indent))` }}
        />
        {children > 0 ? (
          <button
            type="button"
            className={`twist ${collapsed ? '' : 'open'}`}
            tabIndex={-1}
            aria-label={collapsed ? `Expand ${formatCount(trace.spans.subtreeSize[row]!)} spans` : 'Collapse'}
            onClick={(event) => {
              event.stopPropagation();
              view.toggleRow(row);
            }}
          >
            <Icon name="caret" size={12} />
          </button>
        ) : (
          <span className="twist" />
        )}
        <span className="stripe" />
        <span className="label" title={`${service} ${nameOf(trace, row)}`}>
          {!sameService && <b>{service || 'no service name'}</b>}{' '}
          {nameOf(trace, row) || <i className="faint">no name</i>}{' '}
          <span className="faint">{targetOf(trace, row)}</span>
        </span>
        {collapsed && <span className="badge num">{formatCount(trace.spans.subtreeSize[row]!)}</span>}
        <Marks marks={trace.spans.marks[row]!} />
        {error && (
          <span className="error-text row-icon">
            <Icon name="error" size={13} title="Error" />
          </span>
        )}
        {!error && hiddenErrors > 0 && (
          <span className="error-text row-icon hollow">
            <Icon name="error" size={13} title={`${plural(hiddenErrors, 'error')} below`} />
          </span>
        )}
      </div>
      <Bar view={view} row={row} sections={sections} />
    </div>
  );
});

function Bar({
  view,
  row,
  sections,
}: {
  view: TraceViewModel;
  row: number;
  sections: Section[] | undefined;
}) {
  const { trace, window } = view;
  const from = Number(window.from);
  const length = Number(window.to - window.from);
  const left = (trace.startAt[row]! - from) / length;
  const right = (trace.startAt[row]! + trace.length[row]! - from) / length;
  const place =
    right < 0 ? 'before' : left > 1 ? 'after' : right < 0.86 ? 'right' : left > 0.14 ? 'left' : 'inside';
  const shownLeft = Math.max(-0.01, Math.min(1.01, left));
  const shownRight = Math.max(-0.01, Math.min(1.01, right));
  const percent = (share: number) => `${share * 100}%`;
  return (
    <div className="cell-bar" role="gridcell">
      {place !== 'before' && place !== 'after' && (
        <>
          <span
            className="bar"
            style={{ left: percent(shownLeft), width: percent(shownRight - shownLeft) }}
          />
          {sections?.map((s) => {
            const a = Math.max(-0.01, (Number(s.from) - from) / length);
            const b = Math.min(1.01, (Number(s.to) - from) / length);
            return (
              b > a && (
                <span
                  key={String(s.from)}
                  className="path"
                  style={{ left: percent(a), width: percent(b - a) }}
                />
              )
            );
          })}
          <EventTicks trace={trace} row={row} from={from} length={length} />
        </>
      )}
      <span className={`duration num ${place}`} style={labelPlace(place, shownLeft, shownRight)}>
        {place === 'before' && '‹ '}
        {formatDuration(trace.spans.duration[row]!)}
        {place === 'after' && ' ›'}
      </span>
    </div>
  );
}

/** Beside the bar where there is room, else at its right end. */
function labelPlace(place: string, left: number, right: number): React.CSSProperties | undefined {
  if (place === 'right') return { left: `${right * 100}%` };
  if (place === 'left') return { right: `${(1 - left) * 100}%` };
  return place === 'inside' ? { right: `${Math.max(0, 1 - right) * 100}%` } : undefined;
}

const TICKS_MAX = 40;

function EventTicks({
  trace,
  row,
  from,
  length,
}: {
  trace: Trace;
  row: number;
  from: number;
  length: number;
}) {
  const first = trace.firstEvent[row]!;
  const last = Math.min(trace.firstEvent[row + 1]!, first + TICKS_MAX);
  const out = [];
  for (let e = first; e < last; e++) {
    const at = (Number(trace.events.time[e]) - from) / length;
    const name = trace.dictionary[trace.events.name[e]!]!;
    if (at >= 0 && at <= 1)
      out.push(
        <span
          key={e}
          className={`event ${name === 'exception' ? 'event-error' : ''}`}
          title={name}
          style={{ left: `${at * 100}%` }}
        />,
      );
  }
  return out;
}

export const MARK_TEXT: [number, string, string][] = [
  [Mark.orphan, 'orphan', 'Its parent has not arrived.'],
  [Mark.duplicateId, 'duplicate id', 'Another span of this trace has the same id.'],
  [Mark.cycleBroken, 'cycle', 'Its ancestors led back to it; the circle was cut here.'],
  [Mark.startsBeforeParent, 'early', 'It starts before its parent: clocks differ, or its parent is wrong.'],
  [
    Mark.endsAfterParent,
    'outlives parent',
    'It ends after its parent: work that nobody waited for, or clocks that differ.',
  ],
];

/** "Ends after its parent" is common and harmless: it is told in the details, not on the row. */
function Marks({ marks }: { marks: number }) {
  const odd = MARK_TEXT.filter(([bit]) => bit !== Mark.endsAfterParent && marks & bit);
  return odd.map(([bit, word, text]) => (
    <span key={bit} className="badge badge-warn row-mark" title={text}>
      {bit === Mark.orphan && <Icon name="unlinked" size={11} />}
      {word}
    </span>
  ));
}
