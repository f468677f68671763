import { visible } from '../model/format.js';

/** A text from elsewhere: on one line, cut where there is no room, whole in the hint. */
export function Name({ text, class: className = '' }: { readonly text: string; readonly class?: string }) {
  const shown = visible(text);
  return (
    <bdi class={`name ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
