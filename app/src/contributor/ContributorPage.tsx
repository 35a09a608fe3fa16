/** Under way. */
export function ContributorPage() {
  return <p>Nothing here yet.</p>;
}
