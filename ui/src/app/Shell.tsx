// The frame around every page: name, trace id lookup, theme.
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Icon } from '../widgets/Icon';
import { useTheme } from '../widgets/theme';
import './Shell.css';

export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <header className="shell-bar">
        <Link to="/" className="shell-name" aria-label="weft: search traces">
          <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
            <g fill="none" stroke="currentColor" strokeWidth="3.4" strokeLinecap="round">
              <path d="M9 4v24M16 4v24M23 4v24" opacity=".32" />
              <path d="M4 10h8M20 10h8M13 16h6M4 22h8M20 22h8" />
            </g>
          </svg>
          weft
        </Link>
        <nav aria-label="Main">
          <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
            Search
          </Link>
        </nav>
        <TraceLookup />
        <ThemeButton />
      </header>
      <main id="content" className="shell-content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function TraceLookup() {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const id = /[0-9a-fA-F]{4,32}/.exec(text.trim().replace(/-/g, ''))?.[0];
  return (
    <form
      className="lookup"
      role="search"
      aria-label="Trace by id"
      onSubmit={(event) => {
        event.preventDefault();
        if (!id) return;
        setText('');
        void navigate({ to: '/trace/$traceId', params: { traceId: id } as never });
      }}
    >
      <Icon name="find" />
      <input
        value={text}
        onChange={(e) => setText(e.target.value)}
        placeholder="Go to trace id"
        aria-label="Trace id"
        spellCheck={false}
      />
    </form>
  );
}

const NEXT = { system: 'light', light: 'dark', dark: 'system' } as const;
const ICON = { system: 'auto', light: 'sun', dark: 'moon' } as const;

function ThemeButton() {
  const { choice, choose } = useTheme();
  const label = `Theme: ${choice}. Change to ${NEXT[choice]}.`;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      onClick={() => choose(NEXT[choice])}
    >
      <Icon name={ICON[choice]} size={15} />
    </button>
  );
}
