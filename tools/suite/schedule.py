"""Runs stages side by side, each after what it needs, and tells how each ended."""

import concurrent.futures

import stage as stages


def ready(waiting, results):
    """The first stage whose needs have ended, or None."""
    return next((each for each in waiting if all(need in results for need in each.needs)), None)


def run_all(plan, lanes, tell):
    """The results in the order of the plan, where needs stand before who needs them. `tell` hears
    of each result as it comes."""
    waiting, running, results = list(plan), {}, {}

    def keep(result):
        results[result.stage.name] = result
        tell(result)

    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        while waiting or running:
            while len(running) < lanes and (each := ready(waiting, results)):
                waiting.remove(each)
                broken = next((need for need in each.needs if not results[need].good), None)
                if broken:
                    keep(stages.left_out(each, broken))
                else:
                    running[pool.submit(stages.run, each)] = each
            done, _ = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                del running[future]
                keep(future.result())
    return [results[each.name] for each in plan]
