// How every view asks the API. `send` is the one place that makes a request.

const ASK_AGAIN_MS = 1000;

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

// Return the body of an answer and whether it is one; nothing where another question was asked meanwhile.
export const asking = async (path, options, isNewest, waits) => {
  for (;;) {
    let answer;
    let body;
    try {
      answer = await send(path, options);
      body = await answer.json();
    } catch {
      answer = null;
      body = { detail: "The API does not answer. Look whether it runs and whether you are connected." };
    }
    if (!isNewest()) return null;
    if (answer?.status !== 202) return { ok: Boolean(answer?.ok), body };
    waits();
    await new Promise((resume) => { setTimeout(resume, ASK_AGAIN_MS); });
    if (!isNewest()) return null;
  }
};
