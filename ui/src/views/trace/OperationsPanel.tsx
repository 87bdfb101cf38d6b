// Every operation of the trace with its counts and times; an N+1 query is the row with the large count.
import { useMemo, useState } from 'react';
import { serviceCss } from '../../base/colour';
import { formatCount, plural } from '../../base/number';
import { formatDuration } from '../../base/time';
import { operationStats, type OperationStats } from '../../trace/selfTime';
import type { TraceViewModel } from './useTraceView';

const ORDERS = {
  self: (o: OperationStats) => Number(o.self),
  count: (o: OperationStats) => o.count,
  max: (o: OperationStats) => Number(o.max),
} as const;

const SHOWN_MAX = 200;

export function OperationsPanel({ view }: { view: TraceViewModel }) {
  const { trace, self } = view;
  const [order, setOrder] = useState<keyof typeof ORDERS>('self');
  const stats = useMemo(() => operationStats(trace, self), [trace, self]);
  const sorted = useMemo(
    () => [...stats].sort((a, b) => ORDERS[order](b) - ORDERS[order](a)),
    [stats, order],
  );
  const head = (key: keyof typeof ORDERS, label: string) => (
    <th scope="col" aria-sort={order === key ? 'descending' : undefined}>
      <button type="button" onClick={() => setOrder(key)}>
        {label}
        {order === key && ' ↓'}
      </button>
    </th>
  );
  return (
    <div>
      <table className="operations">
        <thead>
          <tr>
            <th scope="col">Operation</th>
            {head('count', 'Count')}
            {head('self', 'Self')}
            {head('max', 'Max')}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, SHOWN_MAX).map((o) => (
            <tr key={o.firstRow}>
              <td>
                <button type="button" title="Select the slowest" onClick={() => view.select(o.slowestRow)}>
                  <span className="dot" style={{ background: serviceCss(o.service) }} />
                  <span>
                    <b>{o.service}</b> {o.name}
                    {o.errors > 0 && <span className="error-text"> · {plural(o.errors, 'error')}</span>}
                  </span>
                </button>
              </td>
              <td className="num">{formatCount(o.count)}</td>
              <td className="num">{formatDuration(o.self)}</td>
              <td className="num">{formatDuration(o.max)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > SHOWN_MAX && (
        <p className="hint">and {plural(sorted.length - SHOWN_MAX, 'operation')} more</p>
      )}
    </div>
  );
}
