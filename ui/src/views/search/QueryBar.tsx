// Time range, TraceQL text, Run; under it what is wrong with the text, where the text is wrong.
import type { RangeText } from '../../base/range';
import type { ApiError } from '../../client/api';
import { Icon } from '../../widgets/Icon';
import { QueryEditor } from './QueryEditor';
import { RangePicker } from './RangePicker';

interface Props {
  draft: string;
  range: RangeText;
  busy: boolean;
  /** a refusal that has a place in the text */
  error?: ApiError;
  onDraft(text: string): void;
  onAsk(text: string): void;
  onRange(range: RangeText): void;
}

export function QueryBar({ draft, range, busy, error, onDraft, onAsk, onRange }: Props) {
  return (
    <div className="query-bar">
      <RangePicker range={range} onChange={onRange} />
      <div className="query-field">
        <QueryEditor text={draft} range={range} error={error} onChange={onDraft} onAsk={onAsk} />
        {error && (
          <p className="query-error" role="alert">
            <Icon name="error" /> line {error.at?.line ?? 1}, column {error.at?.column ?? 1}: {error.message}
          </p>
        )}
      </div>
      <button type="button" className="button button-primary" onClick={() => onAsk(draft)}>
        <Icon name={busy ? 'refresh' : 'search'} /> Run
      </button>
    </div>
  );
}
