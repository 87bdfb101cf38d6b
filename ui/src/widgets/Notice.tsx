// What stands where content is not: nothing found, still loading, something went wrong.
import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon';
import './Notice.css';

interface Props {
  icon?: IconName;
  tone?: 'plain' | 'error';
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}

export function Notice({ icon = 'search', tone = 'plain', title, children, actions }: Props) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <Icon name={icon} size={22} />
      <h2>{title}</h2>
      {children && <div className="notice-text">{children}</div>}
      {actions && <div className="notice-actions">{actions}</div>}
    </div>
  );
}

/** Grey bars in the place of rows that are on their way. */
export function Skeleton({ rows }: { rows: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="skeleton-row" style={{ width: `${92 - ((i * 37) % 40)}%` }} />
      ))}
    </div>
  );
}
