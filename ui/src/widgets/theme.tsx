// Light or dark: the system's choice until the user makes one. A preference of this browser, so it is kept there, not in the URL.
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Theme } from '../base/colour';

export type ThemeChoice = Theme | 'system';

interface ThemeState {
  theme: Theme;
  choice: ThemeChoice;
  choose(choice: ThemeChoice): void;
}

const KEY = 'weft.theme';
const ThemeContext = createContext<ThemeState>({ theme: 'light', choice: 'system', choose: () => undefined });

export const useTheme = (): ThemeState => use(ThemeContext);

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState(stored);
  const [systemDark, setSystemDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const update = () => setSystemDark(query.matches);
    query.addEventListener('change', update);
    return () => query.removeEventListener('change', update);
  }, []);
  const theme: Theme = choice === 'system' ? (systemDark ? 'dark' : 'light') : choice;
  useEffect(() => {
    document.documentElement.style.colorScheme = theme;
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const state = useMemo(
    () => ({
      theme,
      choice,
      choose(next: ThemeChoice) {
        setChoice(next);
        try {
          if (next === 'system') localStorage.removeItem(KEY);
          else localStorage.setItem(KEY, next);
        } catch {
          // A browser without storage forgets the choice; nothing else is lost.
        }
      },
    }),
    [theme, choice],
  );
  return <ThemeContext value={state}>{children}</ThemeContext>;
}
