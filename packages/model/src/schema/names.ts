/** `__proto__` is a legal word in the grammars below, and poison as the key of a record. */
const notProto = '(?!__proto__$)';

/** A node of a deployment: SlipStream's grammar, without the words that mean something else in a key. */
export const nodeNamePattern = new RegExp(`^${notProto}(?!(ss|machine|orchestrator.*)$)\\w+$`);

/** A parameter: letters, digits and `_`, after the first character also `.` and `-`. */
export const parameterNamePattern = new RegExp(`^${notProto}\\w[\\w.-]*$`);

/** A configured cloud, or the name of a module: what Backstage and Kubernetes allow too. */
export const labelPattern = new RegExp(`^${notProto}[A-Za-z0-9][\\w.-]{0,62}$`);

/** A package as apt, dnf and zypper know it, with an optional version. Never an option or a shell word. */
export const packageNamePattern = /^[A-Za-z0-9][A-Za-z0-9.+:~_=*@/-]*$/;

/** A value that is an expression as a whole: `${{ parameters.clients * 2 }}`. */
export const expressionPattern = /^\s*\$\{\{([\s\S]*)\}\}\s*$/;
