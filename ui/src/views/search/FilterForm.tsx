// The form: the same question as the text, for those who would rather choose than write. Every change asks at once.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { serviceCss } from '../../base/colour';
import { formatCount } from '../../base/number';
import type { RangeText } from '../../base/range';
import { durationLiteral, parseDuration } from '../../base/time';
import { operationsQuery } from '../../client/queries';
import { EMPTY_FILTER, printFilter, type Condition, type Filter } from '../../traceql/filter';
import { Combobox } from '../../widgets/Combobox';
import { Icon } from '../../widgets/Icon';
import { ConditionRow } from './ConditionRow';

interface Props {
  /** undefined: the text says more than the form can */
  filter: Filter | undefined;
  /** false while the text is half-written */
  readable: boolean;
  range: RangeText;
  services: { name: string; spanCount: number; errorCount: number }[];
  onChange(text: string): void;
  onReset(): void;
}

export function FilterForm({ filter, readable, range, services, onChange, onReset }: Props) {
  const shown = filter ?? EMPTY_FILTER;
  const operations = useQuery(operationsQuery(shown.service, range));
  const set = (patch: Partial<Filter>) => onChange(printFilter({ ...shown, ...patch }));
  return (
    <div className="filter-form">
      {!filter && (
        <p className="form-note">
          {readable
            ? 'The query says more than this form can show, so the text alone counts. '
            : 'The query is not complete yet. '}
          <button type="button" className="link-button" onClick={onReset}>
            Start over with the form
          </button>
        </p>
      )}
      <fieldset disabled={!filter}>
        <Combobox
          label="Service"
          value={shown.service}
          placeholder="Any service"
          options={services.map((s) => ({
            value: s.name,
            detail: formatCount(s.spanCount),
            colour: serviceCss(s.name),
          }))}
          onCommit={(service) => set({ service, operation: '' })}
        />
        <Combobox
          label="Operation"
          value={shown.operation}
          placeholder="Any operation"
          loading={operations.isFetching}
          options={uniqueNames(operations.data ?? [])}
          onCommit={(operation) => set({ operation })}
        />
        <div>
          <span className="field-label" id="status-label">
            Status
          </span>
          <div className="segmented" role="radiogroup" aria-labelledby="status-label">
            {(['', 'error', 'ok', 'unset'] as const).map((status) => (
              <button
                key={status}
                type="button"
                role="radio"
                aria-checked={shown.status === status}
                onClick={() => set({ status })}
              >
                {status === '' ? 'any' : status}
              </button>
            ))}
          </div>
        </div>
        <div>
          <span className="field-label">Span duration</span>
          <div className="duration-fields">
            <DurationField
              label="Minimum duration"
              placeholder="min, 100ms"
              value={shown.minDuration}
              onCommit={(minDuration) => set({ minDuration })}
            />
            <span className="faint">–</span>
            <DurationField
              label="Maximum duration"
              placeholder="max, 2s"
              value={shown.maxDuration}
              onCommit={(maxDuration) => set({ maxDuration })}
            />
          </div>
        </div>
        <Conditions
          conditions={shown.conditions}
          range={range}
          onChange={(conditions) => set({ conditions })}
        />
      </fieldset>
    </div>
  );
}

function uniqueNames(operations: { name: string; spanCount: number }[]) {
  const counts = new Map<string, number>();
  for (const { name, spanCount } of operations) counts.set(name, (counts.get(name) ?? 0) + spanCount);
  return [...counts].map(([value, count]) => ({ value, detail: formatCount(count) }));
}

function Conditions({
  conditions,
  range,
  onChange,
}: {
  conditions: Condition[];
  range: RangeText;
  onChange(next: Condition[]): void;
}) {
  const [adding, setAdding] = useState(false);
  const replace = (i: number, next: Condition | undefined) =>
    onChange(next ? conditions.map((c, j) => (j === i ? next : c)) : conditions.filter((_, j) => j !== i));
  return (
    <div>
      <span className="field-label">Attributes</span>
      {conditions.map((condition, i) => (
        <ConditionRow
          key={`${i}-${condition.key}`}
          condition={condition}
          range={range}
          onChange={(next) => replace(i, next)}
          onRemove={() => replace(i, undefined)}
        />
      ))}
      {adding && (
        <ConditionRow
          range={range}
          onChange={(next) => {
            setAdding(false);
            onChange([...conditions, next]);
          }}
          onRemove={() => setAdding(false)}
        />
      )}
      {!adding && (
        <button type="button" className="link-button" onClick={() => setAdding(true)}>
          <Icon name="plus" size={12} /> Add filter
        </button>
      )}
    </div>
  );
}

interface DurationProps {
  label: string;
  placeholder: string;
  value: bigint | undefined;
  onCommit(value: bigint | undefined): void;
}

function DurationField({ label, placeholder, value, onCommit }: DurationProps) {
  const text = value === undefined ? '' : durationLiteral(value);
  const [draft, setDraft] = useState(text);
  const [last, setLast] = useState(text);
  if (text !== last) {
    setLast(text);
    setDraft(text);
  }
  const bad = draft.trim() !== '' && parseDuration(draft) === undefined;
  const commit = () => {
    const next = draft.trim() === '' ? undefined : parseDuration(draft);
    if (!bad && next !== value) onCommit(next);
  };
  return (
    <input
      aria-label={label}
      aria-invalid={bad}
      title={bad ? 'A number with a unit: 250us, 10ms, 1.5s, 2m' : undefined}
      placeholder={placeholder}
      value={draft}
      spellCheck={false}
      onChange={(e) => setDraft(e.target.value)}
      onBlur={commit}
      onKeyDown={(e) => {
        if (e.key === 'Enter') commit();
      }}
    />
  );
}
