// A text field with suggestions (ARIA combobox with a listbox). Any text may be entered; a suggestion may be chosen.
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { Icon } from './Icon';
import './Combobox.css';

export interface Option {
  value: string;
  /** right-aligned and faint: a count, a type */
  detail?: string;
  /** of a dot before the text */
  colour?: string;
}

interface Props {
  label: string;
  value: string;
  options: Option[];
  placeholder?: string;
  loading?: boolean;
  className?: string;
  hideLabel?: boolean;
  /** the field was left or a suggestion was chosen */
  onCommit(value: string): void;
  /** every keystroke: for suggestions that depend on the text */
  onInput?(value: string): void;
  onOpen?(): void;
}

const SHOWN_MAX = 200;

export function Combobox(props: Props) {
  const { label, value, options, placeholder, loading, className, hideLabel, onCommit, onInput, onOpen } =
    props;
  const id = useId();
  const [text, setText] = useState(value);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [typed, setTyped] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const [lastValue, setLastValue] = useState(value);
  if (value !== lastValue) {
    setLastValue(value);
    setText(value);
  }

  const needle = typed ? text.trim().toLowerCase() : '';
  const shown = options
    .filter((o) => needle === '' || o.value.toLowerCase().includes(needle))
    .slice(0, SHOWN_MAX);

  useEffect(() => {
    if (open && active >= 0) list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [open, active]);

  const show = () => {
    if (open) return;
    setOpen(true);
    setActive(-1);
    setTyped(false);
    onOpen?.();
  };
  const commit = (next: string) => {
    setOpen(false);
    setText(next);
    if (next !== value) onCommit(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      show();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((a) => Math.max(-1, Math.min(shown.length - 1, a + step)));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      commit(open && active >= 0 ? shown[active]!.value : text);
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
      setText(value);
    }
  };

  return (
    <div className={`combobox ${className ?? ''}`}>
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : 'field-label'}>
        {label}
      </label>
      <div className="combobox-field">
        <input
          id={id}
          role="combobox"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={open && active >= 0 ? `${id}-${active}` : undefined}
          autoComplete="off"
          spellCheck={false}
          value={text}
          placeholder={placeholder}
          onFocus={(e) => {
            e.target.select();
            show();
          }}
          onClick={show}
          onChange={(e) => {
            setText(e.target.value);
            setOpen(true);
            setTyped(true);
            setActive(-1);
            onInput?.(e.target.value);
          }}
          onKeyDown={onKeyDown}
          onBlur={() => commit(text)}
        />
        {value !== '' && (
          <button
            type="button"
            className="icon-button combobox-clear"
            aria-label={`Clear ${label}`}
            onClick={() => commit('')}
          >
            <Icon name="close" size={11} />
          </button>
        )}
      </div>
      {open && (shown.length > 0 || loading) && (
        <ul className="combobox-list" id={`${id}-list`} role="listbox" aria-label={label} ref={list}>
          {shown.map((option, i) => (
            <li
              key={option.value}
              id={`${id}-${i}`}
              role="option"
              aria-selected={option.value === value}
              className={i === active ? 'active' : ''}
              onMouseDown={(e) => {
                e.preventDefault();
                commit(option.value);
              }}
            >
              {option.colour && <span className="dot" style={{ background: option.colour }} />}
              <span className="combobox-text">{option.value}</span>
              {option.detail && <span className="combobox-detail">{option.detail}</span>}
            </li>
          ))}
          {loading && shown.length === 0 && <li className="faint">Loading…</li>}
        </ul>
      )}
    </div>
  );
}
