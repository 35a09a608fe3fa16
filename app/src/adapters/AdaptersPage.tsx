/** Under way. */
export function AdaptersPage() {
  return <p>Nothing here yet.</p>;
}
