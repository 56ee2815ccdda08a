// How every view asks the API. `send` is the one place that makes a request.

const ASK_AGAIN_MS = 1000;
const UNREACHABLE = "The API does not answer. Look whether it runs and whether you are connected.";
export const RUNS = "The query still runs. The page asks again until it is done.";

export const send = (path, options = {}) => fetch(path, {
  ...options, headers: { accept: "application/json", ...options.headers },
});

export const get = async (path) => {
  const answer = await send(path);
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail || `${answer.status} ${answer.statusText}`), { status: answer.status });
  }
  return answer.json();
};

// Send a change. Return the answer's body, or why it is refused.
export const change = async (path, method, body) => {
  const options = body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await send(path, { method, ...options }).catch(() => null);
  const found = await answer?.json().catch(() => null);
  if (answer?.ok) return { ok: true, body: found };
  const refused = found?.errors?.map((error) => error.detail).join("; ") || found?.detail || "the API does not answer.";
  return { ok: false, status: answer?.status, refused };
};

// Stop queries of a game. Return what the page says then; nothing where one has ended, so that its answer is there.
const stop = async (path, queries) => {
  const [game] = /^\/v1\/games\/[^/]+/.exec(path);
  const stopped = await Promise.all(queries.map((id) => change(`${game}/queries/${encodeURIComponent(id)}`, "DELETE")));
  if (stopped.some(({ status }) => status === 409)) return null;
  const wrong = stopped.find(({ ok }) => !ok);
  return { ok: false, isCancelled: true, body: { detail: wrong ? `The page does not wait any more, but the query may go on: ${wrong.refused}` : "Cancelled." } };
};

// Return the body of an answer and whether it is one; nothing where another question was asked meanwhile. `waits` gets
// what cancels the queries. They are stopped between two requests: one under way would start them anew.
export const asking = async (path, options, isNewest, waits) => {
  let isUnwanted = false;
  let wake = () => {};
  const cancel = () => { isUnwanted = true; wake(); };
  for (;;) {
    let answer;
    let body;
    try {
      answer = await send(path, options);
      body = await answer.json();
    } catch {
      answer = null;
      body = { detail: UNREACHABLE };
    }
    if (!isNewest()) return null;
    if (answer?.status !== 202) return { ok: Boolean(answer?.ok), body };
    if (!isUnwanted) {
      waits(cancel);
      await new Promise((resume) => { wake = resume; setTimeout(resume, ASK_AGAIN_MS); });
      if (!isNewest()) return null;
    }
    const stopped = isUnwanted && await stop(path, body.queries);
    if (stopped) return isNewest() ? stopped : null;
  }
};
