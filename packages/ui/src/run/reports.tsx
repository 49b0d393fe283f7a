import type { ReportView } from '@paceline/api';
import { useCallback, useEffect, useState } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost } from '../host.tsx';
import { ErrorNotice, Loading, Nothing } from '../parts/notice.tsx';
import { bytes, Time } from '../parts/time.tsx';
import { mostPreviewBytes, readReport, type ReportFile } from './read-report.ts';
import { save } from './save.ts';

/** The reports that have come, to look into and to keep. */
export function Reports({ run, version }: { run: string; version: number }) {
  const { client } = useHost();
  const load = useCallback(() => client.reports.list(run), [client, run]);
  const { value: reports, error, reload } = useLoaded(load);
  useEffect(reload, [reload, version]);
  const [open, setOpen] = useState<string>();
  if (reports === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (reports.length === 0) return <Nothing>No machine has sent a report yet.</Nothing>;
  return (
    <ul className="pl-reports">
      {reports.map((report) => (
        <li key={report.name}>
          <Report
            run={run}
            report={report}
            open={open === report.name}
            onToggle={() => setOpen(open === report.name ? undefined : report.name)}
          />
        </li>
      ))}
    </ul>
  );
}

interface ReportProps {
  run: string;
  report: ReportView;
  open: boolean;
  onToggle: () => void;
}

function Report({ run, report: { name, instance, bytes: size, at }, open, onToggle }: ReportProps) {
  const { client } = useHost();
  const [error, setError] = useState<Error>();
  const download = (): void => {
    save(name, size, client.reports.download(run, name)).catch((cause: unknown) =>
      setError(cause instanceof Error ? cause : new Error(String(cause))),
    );
  };
  return (
    <>
      <div className="pl-report">
        <strong>{instance}</strong>
        <span className="pl-value">{name}</span>
        <span className="pl-faint">{bytes(size)}</span>
        <Time at={at} />
        {size <= mostPreviewBytes && (
          <button type="button" className="pl-button" aria-expanded={open} onClick={onToggle}>
            Look into it
          </button>
        )}
        <button type="button" className="pl-button" aria-label={`Download ${name}`} onClick={download}>
          Download
        </button>
      </div>
      <ErrorNotice error={error} />
      {open && <Preview run={run} name={name} />}
    </>
  );
}

function Preview({ run, name }: { run: string; name: string }) {
  const { client } = useHost();
  const load = useCallback(() => readReport(client.reports.download(run, name)), [client, run, name]);
  const { value: files, error } = useLoaded(load);
  if (error !== undefined) return <ErrorNotice error={error} />;
  if (files === undefined) return <Loading />;
  return (
    <ul className="pl-files">
      {files.map((file) => (
        <li key={file.name}>
          <File file={file} />
        </li>
      ))}
    </ul>
  );
}

function File({ file: { name, size, text } }: { file: ReportFile }) {
  if (text === undefined) {
    return (
      <span>
        {name} <span className="pl-faint">{bytes(size)}, not text</span>
      </span>
    );
  }
  return (
    <details>
      <summary>
        {name} <span className="pl-faint">{bytes(size)}</span>
      </summary>
      <pre tabIndex={0}>{text}</pre>
    </details>
  );
}
