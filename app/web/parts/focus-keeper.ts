/**
 * Whoever works the page by keys is not sent back to its beginning when the button that was pressed goes: the focus moves to the row that it
 * was in, or to the next, or to the list.
 * @param pressed a button of the queue, before anything is done
 * @returns what gives the focus a place, once it is done
 */
export function focusKeeper(pressed: HTMLElement): () => void {
  const row = pressed.closest('li');
  const rows = [row, row?.nextElementSibling, row?.previousElementSibling];
  const places = [
    pressed,
    ...rows.map((one) => one?.querySelector<HTMLElement>('.open')),
    pressed.closest<HTMLElement>('.queue'),
  ];
  return () =>
    // The page is drawn anew first.
    void requestAnimationFrame(() => {
      if (document.activeElement === document.body) places.find((one) => one?.isConnected)?.focus();
    });
}
