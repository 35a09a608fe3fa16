/** Under way. */
export function BuyerPage() {
  return <p>Nothing here yet.</p>;
}
