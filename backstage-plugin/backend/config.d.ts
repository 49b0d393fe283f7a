export interface Config {
  paceline?: {
    /** The server that runs are made on. */
    server: {
      /** Such as `https://paceline.example.org`. */
      url: string;
      /**
       * The token of a user of that server: an operator of the project, or of all (`*`) to remove what is left behind.
       * @visibility secret
       */
      token: string;
    };
    /** The project of the server that new runs are in. Default: the only one that the token may start runs in. */
    project?: string;
    /** Removes from the clouds, every so often, what no run needs. Default: nothing is removed. */
    reap?: {
      /** Such as `{ minutes: 30 }`, or `{ cron: '0 * * * *' }`. */
      frequency: object | string;
      /** Such as `{ minutes: 10 }`. */
      timeout: object | string;
    };
    /** Tells whoever has started a run that it is ready, or has been aborted. Default: true. */
    notifications?: boolean;
  };
}
