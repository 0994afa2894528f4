"""Finds the functions of a C++ file and their lengths, by matching braces.

Enough C++ is understood for clang-formatted code: comments, string, character and raw string literals are blanked; a
brace opens a function when the text before it has a parameter list and every brace around it is a namespace or a class.
A function's length runs from the first line of its signature to the closing brace. Lambdas belong to their function.
"""
import re
import sys

FILE_LIMIT, FILE_HABIT = 800, 400
FUNCTION_LIMIT, FUNCTION_HABIT = 80, 40
WIDGET_CONSTRUCTOR_LIMIT = 60

LITERALS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.S)
SCOPE = re.compile(r'\b(namespace|class|struct|union|enum|extern)\b')


def blank(match):
    """Keeps line breaks, so that line numbers stay right."""
    return re.sub(r'[^\n]', ' ', match.group())


def functions(text):
    """Yields (name, first line, length) of every function."""
    text = LITERALS.sub(blank, text)
    text = re.sub(r'^[ \t]*#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*', blank, text, flags=re.M)
    stack = []
    begin = 0
    for token in re.finditer(r'[{};]', text):
        position = token.start()
        if token.group() == '{':
            head = text[begin:position]
            inside = all(kind == 'scope' for kind, _ in stack)
            if not inside:
                stack.append(('block', None))
            elif '(' not in re.sub(r'^\s*template\s*<[^;{]*?>\s*(?=class|struct)', '', head) and SCOPE.search(head):
                stack.append(('scope', None))
            elif re.match(r'\s*(template\s*<[^{};]*>\s*)?(class|struct|union|enum|namespace)\b', head):
                stack.append(('scope', None))
            elif ')' in head and not re.search(r'=\s*$', head):
                start = begin + len(head) - len(head.lstrip())
                stack.append(('function', (head.strip(), start)))
            else:
                stack.append(('block', None))
            begin = position + 1
        elif token.group() == '}':
            if stack:
                kind, info = stack.pop()
                if kind == 'function':
                    head, start = info
                    if re.match(r'\s*[{,]', text[position + 1:position + 200]):
                        begin = start  # m_member{value} of a constructor's initializer list: the body is yet to come
                        continue
                    first = text.count('\n', 0, start) + 1
                    last = text.count('\n', 0, position) + 1
                    yield name_of(head), first, last - first + 1
            begin = position + 1
        elif not stack or stack[-1][0] == 'scope':
            begin = position + 1


def name_of(head):
    match = re.search(r'([\w:~]+|operator\W+)\s*\(', head)
    return match.group(1) if match else head.split('\n')[0][:40]


def is_widget_constructor(path, name):
    parts = name.split('::')
    return path.startswith(('widgets/', 'app/')) and len(parts) >= 2 and parts[-1] == parts[-2]


def main(paths):
    broken = False
    for path in paths:
        with open(path, encoding='utf-8') as file:
            text = file.read()
        lines = text.count('\n')
        if lines > FILE_LIMIT:
            print(f'{path}: {lines} lines, at most {FILE_LIMIT} are allowed')
            broken = True
        elif lines > FILE_HABIT:
            print(f'note: {path}: {lines} lines, more than the usual {FILE_HABIT}')
        for name, first, length in functions(text):
            limit = WIDGET_CONSTRUCTOR_LIMIT if is_widget_constructor(path, name) else FUNCTION_LIMIT
            if length > limit:
                print(f'{path}:{first}: {name} has {length} lines, at most {limit} are allowed')
                broken = True
            elif length > FUNCTION_HABIT:
                print(f'note: {path}:{first}: {name} has {length} lines, more than the usual {FUNCTION_HABIT}')
    print(f'size: {len(paths)} files read')
    return 1 if broken or not paths else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
