interface Waiting<Question, Answer> {
  question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Lets those share one call who ask for the same kind of thing while nobody has had his turn. Who comes when the call is under way gets
 * another one: no answer is older than its question.
 */
export class SharedCalls<Question, Answer> {
  #waiting: Waiting<Question, Answer>[] = [];

  /**
   * @param begin makes one call for all questions that it takes, as late as it can, and answers each
   * @throws what `begin` throws
   */
  ask(question: Question, begin: (take: () => Question[]) => Promise<(question: Question) => Answer>): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ question, resolve, reject });
    if (this.#waiting.length === 1) this.#begin(begin);
    return promise;
  }

  #begin(begin: (take: () => Question[]) => Promise<(question: Question) => Answer>): void {
    let mine: Waiting<Question, Answer>[] = [];
    const take = (): Question[] => {
      mine = this.#waiting.splice(0);
      return mine.map(({ question }) => question);
    };
    begin(take).then(
      (answerTo) => {
        for (const each of mine) each.resolve(answerTo(each.question));
      },
      (error: unknown) => {
        // It may have failed before it had its turn.
        if (mine.length === 0) take();
        for (const each of mine) each.reject(error);
      },
    );
  }
}
