import type { InstanceView, RunDetail } from '@paceline/api';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { columnsOf, lookOf, summaryOf, type Look } from './stage.ts';

interface GraphProps {
  run: RunDetail;
  chosen: string | undefined;
  onChoose: (instance: string) => void;
}

/** The nodes, each behind those that it is told values of, with one cell for each instance. */
export const Graph = memo(function Graph({ run, chosen, onChoose }: GraphProps) {
  const box = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => columnsOf(run.nodes), [run.nodes]);
  const byNode = useMemo(() => Map.groupBy(run.instances, ({ node }) => node), [run.instances]);
  return (
    <div className="pl-graph" ref={box} role="group" aria-label="Nodes">
      <Links box={box} nodes={run.nodes} />
      {columns.map((column) => (
        <div key={column[0]?.name} className="pl-column">
          {column.map(({ name, image, needs }) => (
            <NodeBox
              key={name}
              name={name}
              image={image}
              needs={needs}
              instances={byNode.get(name) ?? []}
              chosen={chosen}
              onChoose={onChoose}
            />
          ))}
        </div>
      ))}
    </div>
  );
});

interface NodeBoxProps extends Pick<GraphProps, 'chosen' | 'onChoose'> {
  name: string;
  image: string;
  needs: string[];
  instances: InstanceView[];
}

function NodeBox({ name, image, needs, instances, chosen, onChoose }: NodeBoxProps) {
  const summary = summaryOf(instances);
  const message = instances.length === 1 ? instances[0]?.message : undefined;
  return (
    <section className="pl-node" data-node={name} aria-label={`Node ${name}`}>
      <h2>
        {name} <span className="pl-faint">× {instances.length}</span>
      </h2>
      <p className="pl-faint">
        {image}
        {needs.length > 0 && `, needs ${needs.join(', ')}`}
      </p>
      {/* People with a keyboard find each instance in the table below: a thousand stops here would be in their way. */}
      <div
        className="pl-cells"
        data-many={instances.length > 60}
        role="img"
        aria-label={summary}
        onClick={({ target }) => {
          const instance = target instanceof HTMLElement ? target.dataset['instance'] : undefined;
          if (instance !== undefined) onChoose(instance);
        }}
      >
        {instances.map((instance) => (
          <Cell key={instance.name} name={instance.name} look={lookOf(instance)} chosen={instance.name === chosen} />
        ))}
      </div>
      <p className="pl-summary">{summary}</p>
      {message !== undefined && message !== '' && <p className="pl-message">{message}</p>}
    </section>
  );
}

const Cell = memo(function Cell({ name, look, chosen }: { name: string; look: Look; chosen: boolean }) {
  return <span className="pl-cell" data-look={look} data-chosen={chosen} data-instance={name} title={name} />;
});

/** Lines from each node to those that it needs, drawn behind them. */
function Links({ box, nodes }: { box: React.RefObject<HTMLDivElement | null>; nodes: RunDetail['nodes'] }) {
  const [lines, setLines] = useState<string[]>([]);
  useEffect(() => {
    const element = box.current;
    if (element === null || typeof ResizeObserver === 'undefined') return undefined;
    const draw = (): void => setLines(linesOf(element, nodes));
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    for (const node of element.querySelectorAll('[data-node]')) observer.observe(node);
    draw();
    return () => observer.disconnect();
  }, [box, nodes]);
  return (
    <svg className="pl-links" aria-hidden="true">
      {lines.map((line) => (
        <path key={line} d={line} />
      ))}
    </svg>
  );
}

function linesOf(box: HTMLElement, nodes: RunDetail['nodes']): string[] {
  const origin = box.getBoundingClientRect();
  const places = new Map(
    [...box.querySelectorAll<HTMLElement>('[data-node]')].map((node) => [node.dataset['node'], node.getBoundingClientRect()]),
  );
  return nodes.flatMap(({ name, needs }) =>
    needs.flatMap((need) => {
      const [from, to] = [places.get(need), places.get(name)];
      if (from === undefined || to === undefined) return [];
      const [x1, y1] = [from.right - origin.left, from.top + from.height / 2 - origin.top];
      const [x2, y2] = [to.left - origin.left, to.top + to.height / 2 - origin.top];
      const bend = Math.max(20, (x2 - x1) / 2);
      return [`M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`];
    }),
  );
}
