import { SearchPage } from '../views/search/SearchPage';
import { useUrlState } from './urlState';

export function SearchRoute() {
  return <SearchPage {...useUrlState()} />;
}
