import { STANDING_LABELS, toneOf, type Standing } from '../model/standing.js';
import { Icon } from './icon.js';

/** How an instance stands, in a word, a shape and a colour. */
export function StandingMark({ standing }: { readonly standing: Standing }) {
  return (
    <span class={`mark tone-${toneOf(standing)}`}>
      <Icon name={standing} />
      <span class="mark-text">{STANDING_LABELS[standing]}</span>
    </span>
  );
}
