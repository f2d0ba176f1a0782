import { objectOf, setOf } from '../../../src/rego/value.js'
import { checkAll } from './call.js'

// Expected: OPA's documentation; for json.patch the examples of RFC 6902, appendix A.
describe('rego collections', () => {
  checkAll([
    ['array.concat', '[[1], [2, [3]]]', '[1, 2, [3]]'],
    ['array.slice', '[[1, 2, 3, 4], 1, 3]', '[2, 3]'],
    ['array.slice', '[[1, 2], -5, 99]', '[1, 2]'],
    ['array.slice', '[[1, 2], 2, 1]', '[]'],
    ['array.reverse', '[[1, 2, 3]]', '[3, 2, 1]'],
    ['array.reverse', '[{}]', '!array.reverse: operand 1 must be array but got object'],
    ['array.flatten', '[[1, [2, [3]], []]]', '[1, 2, [3]]'],
    ['and', [setOf([1, 2]), setOf([2, 3])], '{2}'],
    ['or', [setOf([1, 2]), setOf([2, 3])], '{1, 2, 3}'],
    ['union', [setOf([setOf([1]), setOf([2])])], '{1, 2}'],
    ['intersection', [setOf([setOf([1, 2]), setOf([2])])], '{2}'],
    ['intersection', [setOf([])], 'set()'],
    ['union', [setOf([1])], '!union: operand 1 must be set but got number'],
    ['internal.member_2', '[2, [1, 2]]', 'true'],
    ['internal.member_2', '["x", {"a": "x"}]', 'true'],
    ['internal.member_2', '["x", 5]', 'false'],
    ['internal.member_3', '["a", "x", {"a": "x"}]', 'true'],
    ['internal.member_3', '[1, "x", ["a", "x"]]', 'true'],
    ['object.get', '[{"a": [{"b": true}]}, ["a", 0, "b"], false]', 'true'],
    ['object.get', '[{"a": 1}, "b", "none"]', '"none"'],
    ['object.get', '[{"a": 1}, [], 0]', '{"a": 1}'],
    ['object.get', '[{"a": false}, "a", true]', 'false'],
    ['object.keys', '[{"a": 1, "b": 2}]', '{"a", "b"}'],
    ['object.keys', '["x"]', '!object.keys: operand 1 must be object but got string'],
    ['object.remove', '[{"a": 1, "b": 2}, ["b", "c"]]', '{"a": 1}'],
    ['object.remove', '[{"a": 1, "b": 2}, {"a": 0}]', '{"b": 2}'],
    ['object.filter', '[{"a": {"b": "x"}, "d": "z"}, ["a"]]', '{"a": {"b": "x"}}'],
    [
      'object.filter',
      '[true, ["a"]]',
      '!object.filter: operand 1 must be object but got boolean',
    ],
    [
      'object.union',
      '[{"a": 1, "b": 2, "c": {"d": 3}}, {"a": 7, "c": {"d": 4, "e": 5}}]',
      '{"a": 7, "b": 2, "c": {"d": 4, "e": 5}}',
    ],
    ['object.union_n', '[[{"a": 1}, {"b": 2}, {"a": 3}]]', '{"a": 3, "b": 2}'],
    [
      'object.union_n',
      '[[{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}]]',
      '{"a": {"c": 3}}',
    ],
    ['object.subset', '[{"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"x": 1}}]', 'true'],
    ['object.subset', '[[1, 2, 3, 4], [2, 3]]', 'true'],
    ['object.subset', '[[1, 2, 3], [1, 3]]', 'false'],
    ['object.subset', [[1, 2, 3], setOf([3, 1])], 'true'],
    [
      'object.subset',
      [objectOf([['x', setOf([10, 15, 20, 25])]]), objectOf([['x', setOf([10, 15])]])],
      'true',
    ],
    [
      'object.subset',
      '[[1], {}]',
      '!object.subset: both arguments object.subset must be of the same type or array and set',
    ],
    ['json.filter', '[{"a": {"b": "x", "c": "y"}}, ["a/b"]]', '{"a": {"b": "x"}}'],
    ['json.filter', '[{"a": [10, 11, 12]}, ["/a/0", "a/2"]]', '{"a": [10, 12]}'],
    ['json.filter', '[{"a": {"b": 1}, "c": 2}, [["a", "b"]]]', '{"a": {"b": 1}}'],
    ['json.remove', '[{"a": {"b": "x", "c": "y"}}, ["a/b"]]', '{"a": {"c": "y"}}'],
    ['json.remove', '[{"a": [10, 11, 12]}, ["a/1"]]', '{"a": [10, 12]}'],
    ['json.remove', '[{"a": {"b": 1}}, ["a/b/c", "a"]]', '{}'],
    ['json.remove', '[{"a~/b": 1}, ["a~0~1b"]]', '{}'],
    [
      'json.remove',
      '[{"a": 1}, {"a": 1}]',
      '!json.remove: operand 2 must be one of {set, array} but got object',
    ],
    [
      'json.remove',
      '[{"a": 1}, [{}]]',
      '!json.remove: operand 2 must be one of {set, array} containing string paths or array of path segments but got object',
    ],
    // RFC 6902 A.1 to A.16.
    [
      'json.patch',
      '[{"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}]]',
      '{"baz": "qux", "foo": "bar"}',
    ],
    [
      'json.patch',
      '[{"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}]]',
      '{"foo": ["bar", "qux", "baz"]}',
    ],
    [
      'json.patch',
      '[{"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}]]',
      '{"foo": "bar"}',
    ],
    [
      'json.patch',
      '[{"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}]]',
      '{"foo": ["bar", "baz"]}',
    ],
    [
      'json.patch',
      '[{"baz": "qux", "foo": "bar"}, [{"op": "replace", "path": "/baz", "value": "boo"}]]',
      '{"baz": "boo", "foo": "bar"}',
    ],
    [
      'json.patch',
      '[{"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}, [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]]',
      '{"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}',
    ],
    [
      'json.patch',
      '[{"foo": ["all", "grass", "cows", "eat"]}, [{"op": "move", "from": "/foo/1", "path": "/foo/3"}]]',
      '{"foo": ["all", "cows", "eat", "grass"]}',
    ],
    [
      'json.patch',
      '[{"baz": "qux", "foo": ["a", 2, "c"]}, [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}]]',
      '{"baz": "qux", "foo": ["a", 2, "c"]}',
    ],
    [
      'json.patch',
      '[{"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}]]',
      'undefined',
    ],
    [
      'json.patch',
      '[{"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}]]',
      '{"child": {"grandchild": {}}, "foo": "bar"}',
    ],
    [
      'json.patch',
      '[{"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]]',
      '{"baz": "qux", "foo": "bar"}',
    ],
    [
      'json.patch',
      '[{"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}]]',
      'undefined',
    ],
    [
      'json.patch',
      '[{"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}]]',
      '{"/": 9, "~1": 10}',
    ],
    [
      'json.patch',
      '[{"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}]]',
      'undefined',
    ],
    [
      'json.patch',
      '[{"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]]',
      '{"foo": ["bar", ["abc", "def"]]}',
    ],
    ['json.patch', '[[1, 2], [{"op": "remove", "path": "/01"}]]', 'undefined'],
    ['json.patch', '[{"a": 1}, [{"op": "add", "path": "", "value": 5}]]', '5'],
    [
      'json.patch',
      [
        setOf(['a', [0]]),
        [
          objectOf([
            ['op', 'add'],
            ['path', [[0], 1]],
            ['value', 1],
          ]),
        ],
      ],
      '{"a", [0, 1]}',
    ],
    [
      'json.patch',
      [
        setOf(['a']),
        [
          objectOf([
            ['op', 'add'],
            ['path', ['b']],
            ['value', 'b'],
          ]),
        ],
      ],
      '{"a", "b"}',
    ],
    ['type_name', [setOf([])], '"set"'],
    ['is_string', '[null]', 'false'],
    ['is_number', '[1.5]', 'true'],
    ['cast_array', [setOf([2, 1])], '[1, 2]'],
    ['cast_string', '[1]', '!cast_string: operand 1 must be string but got number'],
    [
      'graph.reachable',
      '[{"a": ["b"], "b": ["c"], "c": ["a"], "d": []}, ["a"]]',
      '{"a", "b", "c"}',
    ],
    ['graph.reachable', '[{"a": ["gone"]}, ["a"]]', '{"a"}'],
    [
      'graph.reachable_paths',
      '[{"a": ["b", "c"], "b": [], "c": ["a"]}, ["a"]]',
      '{["a", "b"], ["a", "c"]}',
    ],
    // A node reached by two ways is on every path through it: OPA's cases since 1.16.
    [
      'graph.reachable_paths',
      '[{"1": [], "2": ["1"], "3": ["2"], "4": ["3", "2"], "5": ["4"]}, ["5"]]',
      '{["5", "4", "2", "1"], ["5", "4", "3", "2", "1"]}',
    ],
    [
      'graph.reachable_paths',
      '[{"a": ["b", "c"], "b": ["c"], "c": []}, ["a"]]',
      '{["a", "b", "c"], ["a", "c"]}',
    ],
    [
      'graph.reachable_paths',
      '[{"a": ["b"], "b": ["c", "d", "e"], "c": ["e", "d"], "d": ["f"], "e": ["f"], "f": []}, ["a"]]',
      '{["a", "b", "c", "d", "f"], ["a", "b", "c", "e", "f"], ["a", "b", "d", "f"], ["a", "b", "e", "f"]}',
    ],
    // Two ways into a circle: each path ends before it would close.
    [
      'graph.reachable_paths',
      '[{"a": ["b", "c"], "b": ["c"], "c": ["b"]}, ["a"]]',
      '{["a", "b", "c"], ["a", "c", "b"]}',
    ],
    ['walk', '[{"a": [1]}]', '[[[], {"a": [1]}], [["a"], [1]], [["a", 0], 1]]'],
  ])
})
