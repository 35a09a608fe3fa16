import type { AuditReport } from "../audit.ts";
export function reportHtml(report: AuditReport): string {
  return report.verdict;
}
