"""Counts the test cases of ctest's JUnit files: what was skipped and why, what failed, and as the last line
"N passed, N failed, N skipped". A program counts its cases itself (GoogleTest, Qt Test, our scripts); one that says
nothing is one case. Exit code 0: at least one passed and none failed.

    python3 tests/count_results.py RESULTS...     RESULTS.xml each
"""
import collections
import os
import re
import sys
import xml.etree.ElementTree as xml


def numbers(pattern, text):
    return [int(found) for found in re.findall(pattern, text, re.MULTILINE)]


def cases(text):
    """(passed, failed, skipped) as the program's own summary has it; None without one."""
    if ran := re.search(r'^\[==========\] .* ran\.', text, re.MULTILINE):
        summary = text[ran.end():]
        return tuple(sum(numbers(rf'^\[  {word} *\] (\d+) tests?[.,]', summary)) for word in ('PASSED', 'FAILED', 'SKIPPED'))
    if totals := re.findall(r'^Totals: (\d+) passed, (\d+) failed, (\d+) skipped', text, re.MULTILINE):
        return tuple(sum(int(total[i]) for total in totals) for i in range(3))
    if totals := re.findall(r'^(\d+) passed, (\d+) failed$', text, re.MULTILINE):
        return int(totals[-1][0]), int(totals[-1][1]), 0
    return None


def reasons(text):
    """Why cases were skipped: the line that GoogleTest prints after the place, Qt Test's, or that of a script."""
    return (re.findall(r'^.*: Skipped\n(.+)$', text, re.MULTILINE) + re.findall(r'^SKIP +: .*\) (.+)$', text, re.MULTILINE) +
            re.findall(r'^skipped: (.+)$', text, re.MULTILINE))


def counted(test):
    """Counts of one program. A crash, a timeout or a failed start is a failure whatever was printed before it."""
    text = test.findtext('system-out') or ''
    status = test.get('status')
    found = cases(text)
    if status == 'notrun' or test.find('skipped') is not None:
        return (0, 0, 1), reasons(text) or [(test.find('skipped').get('message') if test.find('skipped') is not None else '') or 'not run']
    if status == 'fail':
        passed, failed, skipped = found or (0, 1, 0)
        return (passed, max(1, failed), skipped), reasons(text)
    return found or (1, 0, 0), reasons(text)


def main(paths):
    total = [0, 0, 0]
    why = collections.Counter()
    for path in paths:
        own = [0, 0, 0]
        try:
            tests = list(xml.parse(path + '.xml').iter('testcase'))
        except (OSError, xml.ParseError) as error:
            print(f'FAILED: no results of {os.path.basename(path)}: {error}')
            total[1] += 1
            continue
        for test in tests:
            counts, skipped = counted(test)
            own = [a + b for a, b in zip(own, counts)]
            why.update(f'{test.get("name")}: {reason.strip()}' for reason in skipped)
            if counts[1]:
                print(f'FAILED: {test.get("name")} ({os.path.basename(path)})')
        if len(paths) > 1:
            print(f'{os.path.basename(path)}: {own[0]} passed, {own[1]} failed, {own[2]} skipped')
        total = [a + b for a, b in zip(total, own)]
    for reason, count in sorted(why.items()):
        print(f'skipped {count} x {reason}')
    print(f'{total[0]} passed, {total[1]} failed, {total[2]} skipped')
    return 0 if total[0] > 0 and total[1] == 0 else 1


sys.exit(main(sys.argv[1:]))
