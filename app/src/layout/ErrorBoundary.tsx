/** A page that fails to show says so; the rest of the frame stays. */
import { Component, type ReactNode } from "react";
import { Failure } from "./Failure.tsx";

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Failure
        title="This page could not be shown"
        error={this.state.error}
        onRetry={() => this.setState({ error: undefined })}
      />
    );
  }
}
