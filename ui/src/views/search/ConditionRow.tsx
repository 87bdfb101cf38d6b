// One attribute condition: key with completion, operator, value with completion.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { formatCount } from '../../base/number';
import type { RangeText } from '../../base/range';
import { attributesQuery, attributeValuesQuery } from '../../client/queries';
import { INTRINSICS } from '../../traceql/context';
import {
  attributeRef,
  literalToText,
  OPERATORS,
  quote,
  textToLiteral,
  type Condition,
  type Operator,
} from '../../traceql/filter';
import { Combobox } from '../../widgets/Combobox';
import { Icon } from '../../widgets/Icon';

interface Props {
  condition?: Condition;
  range: RangeText;
  onChange(condition: Condition): void;
  onRemove(): void;
}

export function ConditionRow({ condition, range, onChange, onRemove }: Props) {
  const [key, setKey] = useState(condition?.key ?? '');
  const [op, setOp] = useState<Operator>(condition?.op ?? '=');
  const [wantKeys, setWantKeys] = useState(false);
  const [wantValues, setWantValues] = useState(false);
  const [typed, setTyped] = useState('');
  const prefix = useDeferredValue(typed);
  const attributes = useQuery({ ...attributesQuery(range), enabled: wantKeys });
  const values = useQuery({ ...attributeValuesQuery(key, prefix, range), enabled: wantValues && key !== '' });
  const text = condition ? literalToText(condition.literal) : '';

  const commit = (next: Partial<Condition>) => {
    const whole = { key, op, literal: condition?.literal ?? '', ...next };
    if (whole.key !== '' && whole.literal !== '') onChange(whole);
  };
  return (
    <div className="condition" role="group" aria-label={key === '' ? 'New filter' : `Filter on ${key}`}>
      <Combobox
        label="Attribute"
        hideLabel
        value={key}
        placeholder="span.http.route"
        loading={attributes.isFetching}
        options={[
          ...(attributes.data ?? []).map((a) => ({
            value: attributeRef(a.scope, a.key),
            detail: a.types.join(', '),
          })),
          ...INTRINSICS.map((i) => ({ value: i.name, detail: 'intrinsic' })),
        ]}
        onOpen={() => setWantKeys(true)}
        onCommit={(next) => {
          // A bare word that is no intrinsic can only mean an attribute of the span or its resource.
          const ref =
            next === '' || /[.:]/.test(next) || INTRINSICS.some((i) => i.name === next) ? next : `.${next}`;
          setKey(ref);
          if (ref === '') onRemove();
          else commit({ key: ref });
        }}
      />
      <button type="button" className="icon-button" aria-label="Remove filter" onClick={onRemove}>
        <Icon name="close" size={12} />
      </button>
      <div className="condition-value">
        <select
          aria-label="Operator"
          value={op}
          onChange={(e) => {
            setOp(e.target.value as Operator);
            commit({ op: e.target.value as Operator });
          }}
        >
          {OPERATORS.map((o) => (
            <option key={o}>{o}</option>
          ))}
        </select>
        <Combobox
          label="Value"
          hideLabel
          value={text}
          placeholder="value"
          loading={values.isFetching}
          options={(values.data?.values ?? []).map((v) => ({
            value: v.type === 'string' ? literalToText(quote(v.value)) : v.value,
            detail: formatCount(v.count),
          }))}
          onOpen={() => setWantValues(true)}
          onInput={setTyped}
          onCommit={(next) => {
            if (next.trim() !== '') commit({ literal: textToLiteral(next) });
          }}
        />
      </div>
    </div>
  );
}
