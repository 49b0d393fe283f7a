/** By what one of several clouds is chosen: the order in which they are named, the price of a machine, or as evenly as can be. */
export type CloudPolicy = 'preference' | 'price' | 'spread';

/** Where the machines of a node go: to some clouds as there is room, or so many to each. */
export type CloudChoice =
  | { kind: 'order'; clouds: string[]; by: CloudPolicy }
  /** Taken in turns: of `lab*30+aws*20` the first thirty go to `lab`, the next twenty to `aws`, and so on. */
  | { kind: 'shares'; shares: { cloud: string; count: number }[] };

const name = '[A-Za-z0-9][\\w.-]{0,62}';
const share = `${name}(\\*[1-9][0-9]{0,4})?`;

/** `lab`, `any`, `lab,aws`, `any:price`, `lab,aws:spread` or `lab*30+aws`. */
export const cloudChoicePattern = new RegExp(`^(${name}(,${name})*(:(price|spread))?|${share}(\\+${share})*)$`);

/**
 * Reads what a module or a request says of a node's cloud.
 * @param known what `any` stands for
 * @returns undefined for what cannot be understood
 */
export function parseCloudChoice(text: string, known: readonly string[]): CloudChoice | undefined {
  if (!cloudChoicePattern.test(text)) return undefined;
  if (!/[*+]/.test(text)) {
    const [named = '', by = 'preference'] = text.split(':');
    const clouds = named.split(',').flatMap((cloud) => (cloud === 'any' ? known : [cloud]));
    return { kind: 'order', clouds: [...new Set(clouds)], by: by as CloudPolicy };
  }
  const shares = text.split('+').map((each) => {
    const [cloud = '', count = '1'] = each.split('*');
    return { cloud, count: Number(count) };
  });
  return { kind: 'shares', shares };
}

/** Every cloud that is named, `any` too. */
export function cloudsNamed(text: string): string[] {
  return text.split(/[,+]/).map((each) => each.replace(/[*:].*/, ''));
}
